#include "tls/client_hello.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace steelyard::tls {
namespace {

std::string_view host_in(const std::vector<std::uint8_t>& bytes) { return host_named_in(bytes); }

std::vector<std::uint8_t> extension(const std::string& name, std::uint8_t type = 0) {
  const std::size_t entry = name.size() + 3;
  std::vector<std::uint8_t> bytes{
      static_cast<std::uint8_t>(entry >> 8), static_cast<std::uint8_t>(entry), type,
      static_cast<std::uint8_t>(name.size() >> 8), static_cast<std::uint8_t>(name.size())};
  bytes.insert(bytes.end(), name.begin(), name.end());
  return bytes;
}

TEST(ClientHello, the_named_host_is_found) { EXPECT_EQ(host_in(extension("a.test")), "a.test"); }

TEST(ClientHello, other_kinds_of_names_are_passed_over) {
  EXPECT_EQ(host_in(extension("a.test", 1)), "");
  std::vector<std::uint8_t> both = extension("x", 9);
  const std::vector<std::uint8_t> host = extension("b.test");
  both.insert(both.end(), host.begin() + 2, host.end());
  both[1] = static_cast<std::uint8_t>(both.size() - 2);
  EXPECT_EQ(host_in(both), "b.test");
}

TEST(ClientHello, names_that_are_none_are_not_taken) {
  EXPECT_EQ(host_in(extension("")), "");
  EXPECT_EQ(host_in(extension(std::string("a\0b", 3))), "");
  EXPECT_EQ(host_in(extension(std::string(256, 'a'))), "");
  EXPECT_EQ(host_in(extension(std::string(255, 'a'))).size(), 255U);
}

TEST(ClientHello, cut_and_stretched_extensions_name_nobody) {
  const std::vector<std::uint8_t> whole = extension("a.test");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_EQ(host_in({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)}), "");
  std::vector<std::uint8_t> longer = whole;
  longer.push_back(0);
  EXPECT_EQ(host_in(longer), "");
  std::vector<std::uint8_t> lying = whole;
  lying[4] = 200;
  EXPECT_EQ(host_in(lying), "");
}

}  // namespace
}  // namespace steelyard::tls
