#include "auth/line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::auth {
namespace {

const IpAddress crowd = IpAddress::v4(0x0a000001), single = IpAddress::v4(0x0a000002);

TEST(Line, serves_addresses_in_turns) {
  Line<std::string> line;
  for (const char* job : {"c1", "c2", "c3"}) EXPECT_TRUE(line.add(crowd, job));
  EXPECT_TRUE(line.add(single, "s1"));
  std::string order;
  while (const auto job = line.next()) order += *job + " ";
  EXPECT_EQ(order, "c1 s1 c2 c3 ");
  EXPECT_FALSE(line.next());
  EXPECT_TRUE(line.add(crowd, "again"));
  EXPECT_EQ(line.next(), "again");
}

TEST(Line, is_full_for_one_address_before_it_is_for_others) {
  Line<int> line;
  for (std::size_t i = 0; i < Line<int>::jobs_of_address_max; ++i) EXPECT_TRUE(line.add(crowd, 1));
  EXPECT_FALSE(line.add(crowd, 1));
  EXPECT_TRUE(line.add(single, 1));
}

TEST(Line, is_bounded_for_all) {
  Line<int> line;
  for (std::uint32_t i = 0; i < Line<int>::jobs_max; ++i)
    EXPECT_TRUE(line.add(IpAddress::v4(i), 1));
  EXPECT_FALSE(line.add(crowd, 1));
  EXPECT_EQ(line.size(), Line<int>::jobs_max);
  EXPECT_TRUE(line.next());
  EXPECT_TRUE(line.add(crowd, 1));
}

TEST(Line, takes_a_network_of_ipv6_for_one_address) {
  Line<std::string> line;
  line.add(*IpAddress::parse("2001:db8::1"), "a");
  line.add(*IpAddress::parse("2001:db8::2"), "b");
  line.add(*IpAddress::parse("2001:db8:0:1::1"), "c");
  EXPECT_EQ(line.next(), "a");
  EXPECT_EQ(line.next(), "c");
  EXPECT_EQ(line.next(), "b");
}

}  // namespace
}  // namespace steelyard::auth
