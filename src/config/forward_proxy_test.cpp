#include "config/forward_proxy.hpp"

#include <gtest/gtest.h>

#include "config/config.hpp"

namespace steelyard::config {
namespace {

TEST(ForwardProxy, tunnels_lead_to_the_ports_of_https_unless_others_are_named) {
  ForwardProxy forward;
  EXPECT_TRUE(may_connect_to(forward, 443));
  EXPECT_TRUE(may_connect_to(forward, 563));
  EXPECT_FALSE(may_connect_to(forward, 80));
  forward.connect_ports = {{8000, 8010}};
  EXPECT_TRUE(may_connect_to(forward, 8000));
  EXPECT_TRUE(may_connect_to(forward, 8010));
  EXPECT_FALSE(may_connect_to(forward, 7999));
  EXPECT_FALSE(may_connect_to(forward, 8011));
  EXPECT_FALSE(may_connect_to(forward, 443));
}

TEST(ForwardProxy, hosts_are_direct_by_domain_name_network_or_a_part_of_the_name) {
  using Kind = DirectHost::Kind;
  ForwardProxy forward;
  forward.direct_hosts = {{Kind::domain, ".corp.test", {}},
                          {Kind::host, "www.one.test", {}},
                          {Kind::network, "10.0.0.0/8", *IpNetwork::parse("10.0.0.0/8")},
                          {Kind::word, "local_", {}}};
  EXPECT_TRUE(is_direct(forward, "a.corp.test"));
  EXPECT_FALSE(is_direct(forward, ".corp.test"));
  EXPECT_FALSE(is_direct(forward, "corp.test"));
  EXPECT_TRUE(is_direct(forward, "www.one.test"));
  EXPECT_FALSE(is_direct(forward, "x.www.one.test"));
  EXPECT_TRUE(is_direct(forward, "10.9.8.7"));
  EXPECT_FALSE(is_direct(forward, "11.9.8.7"));
  EXPECT_TRUE(is_direct(forward, "my_local_host"));
}

TEST(ForwardProxy, remotes_are_found_by_star_scheme_url_or_regex_in_their_order) {
  std::vector<RemoteProxy> remotes(4);
  remotes[0].match = "http://One.test/a";
  remotes[1].match = "https";
  remotes[2].regex = *Regex::compile("^ftp://.*[.]zip$");
  remotes[3].match = "*";
  EXPECT_EQ(find_remote(remotes, "HTTP://one.test/ab"), 0u);
  EXPECT_EQ(find_remote(remotes, "https://one.test/a"), 1u);
  EXPECT_EQ(find_remote(remotes, "ftp://h/x.zip"), 2u);
  EXPECT_EQ(find_remote(remotes, "ftp://h/x"), 3u);
  EXPECT_EQ(find_remote(std::span(remotes).first(3), "ftp://h/x"), 3u);
  // Of a CONNECT what stands before the colon is no scheme, but it is compared like one.
  EXPECT_EQ(find_remote(remotes, "https:443"), 1u);
}

// 2.4.71, seen: a name counts with the port that ServerName says, an address with the one that
// <VirtualHost> says.
TEST(ForwardProxy, a_server_knows_its_own_places) {
  Server server;
  server.name = "Own.test";
  server.aliases = {"alias.test"};
  server.wild_aliases = {"*.wild.test"};
  EXPECT_FALSE(is_own_place(server, "own.test", 80));
  server.name_port = 8080;
  for (const std::string_view name : {"own.test", "alias.test", "x.wild.test"}) {
    EXPECT_TRUE(is_own_place(server, name, 8080)) << name;
    EXPECT_FALSE(is_own_place(server, name, 80)) << name;
  }
  EXPECT_FALSE(is_own_place(server, "foreign.test", 8080));
  EXPECT_FALSE(is_own_place(server, "127.0.0.1", 81));
  server.addresses = {{IpAddress::parse("127.0.0.1"), 81, "127.0.0.1"}, {{}, 82, "*"}};
  EXPECT_TRUE(is_own_place(server, "127.0.0.1", 81));
  EXPECT_FALSE(is_own_place(server, "127.0.0.1", 82));
  EXPECT_FALSE(is_own_place(server, "foreign.test", 82));
}

}  // namespace
}  // namespace steelyard::config
