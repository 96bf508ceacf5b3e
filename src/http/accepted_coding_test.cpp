#include "http/accepted_coding.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace steelyard::http {
namespace {

TEST(AcceptedCoding, is_named_and_has_a_weight) {
  const std::pair<std::string_view, bool> cases[] = {
      {"gzip", true},
      {"deflate, GZIP;q=0.5", true},
      {"identity;q=1,gzip ;q=0.2", true},
      {"gzip;q=0", false},
      {"gzip; q=0.000", false},
      {"gzip;x=1;Q=0", false},
      {"gzip;q=0, gzip", true},
      {"gzip;q=0.001", true},
      {"x-gzip", false},
      {"*", false},
      {"", false},
      {";gzip", false},
      {"\"gzip\"", false},
      {"deflate,,gzip", true},
      {"gzip q=0", false},
  };
  for (const auto& [value, expected] : cases)
    EXPECT_EQ(accepts_coding(value, "gzip"), expected) << value;
}

}  // namespace
}  // namespace steelyard::http
