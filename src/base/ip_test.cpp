#include "base/ip.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

TEST(IpAddress, text_round_trips) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fe80::1:0:0:2",
                           "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
}

TEST(IpAddress, nonsense_is_refused) {
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "::1::", ":", "1:2:3",
        "g::", "12345::", "1.2.3.4x", "0001.2.3.4", "1.2.3.4::", "1::1.2.3.4::", "1:1.2.3.4::2"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, a_mapped_v4_address_is_that_v4_address) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.1.2.3"), IpAddress::parse("10.1.2.3"));
}

TEST(IpNetwork, every_way_to_write_a_block) {
  for (const char* text : {"10.1", "10.1.", "10.1.0.0/16", "10.1.0.0/255.255.0.0"}) {
    const auto network = IpNetwork::parse(text);
    ASSERT_TRUE(network) << text;
    EXPECT_TRUE(network->contains(*IpAddress::parse("10.1.200.3"))) << text;
    EXPECT_FALSE(network->contains(*IpAddress::parse("10.2.0.1"))) << text;
  }
  EXPECT_TRUE(IpNetwork::parse("2001:db8::/32")->contains(*IpAddress::parse("2001:db8:1::1")));
  EXPECT_FALSE(IpNetwork::parse("::/0")->contains(*IpAddress::parse("1.2.3.4")));
}

TEST(IpNetwork, writes_what_it_covers) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"10.1.2.3", "10.1.2.3/32"},
      {"10.1", "10.1.0.0/16"},
      {"10.1.2.3/255.255.0.0", "10.1.0.0/16"},
      {"10.1.2.3/255.0.255.0", "10.0.2.0/255.0.255.0"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"2001:db8::1/32", "2001:db8::/32"},
  };
  for (const auto& [written, text] : cases) EXPECT_EQ(IpNetwork::parse(written)->text(), text);
}

TEST(IpNetwork, a_mask_out_of_range_is_named) {
  EXPECT_EQ(IpNetwork::parse("10.0.0.0/33").error(), "The specified network mask is invalid.");
  EXPECT_EQ(IpNetwork::parse("x").error(), "The specified IP address is invalid.");
}

}  // namespace
}  // namespace steelyard
