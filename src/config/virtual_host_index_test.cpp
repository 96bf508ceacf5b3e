#include "config/virtual_host_index.hpp"

#include <gtest/gtest.h>

namespace steelyard::config {
namespace {

Endpoint at(std::string_view ip, std::uint16_t port) { return {*IpAddress::parse(ip), port}; }

HostAddress address(std::string_view ip, std::optional<std::uint16_t> port) {
  return {ip == "*" ? std::nullopt : IpAddress::parse(ip), port, std::string(ip)};
}

class VirtualHosts : public testing::Test {
 protected:
  VirtualHosts() { add("main.test", {}); }

  Server& add(std::string name, std::vector<HostAddress> addresses) {
    config_.servers.push_back(std::make_unique<Server>());
    Server& server = *config_.servers.back();
    server.name = std::move(name);
    server.addresses = std::move(addresses);
    return server;
  }
  std::string choose(Endpoint local, std::string_view host, std::string_view path = {}) const {
    return VirtualHostIndex(config_).choose(local, host, path).name;
  }

  Config config_;
};

TEST_F(VirtualHosts, the_main_server_answers_where_no_virtual_host_does) {
  add("a.test", {address("10.0.0.1", 80)});
  EXPECT_EQ(choose(at("10.0.0.2", 80), "a.test"), "main.test");
  EXPECT_EQ(choose(at("10.0.0.1", 81), "a.test"), "main.test");
}

TEST_F(VirtualHosts, a_single_virtual_host_takes_every_name) {
  add("a.test", {address("*", 80)});
  EXPECT_EQ(choose(at("10.0.0.2", 80), "other"), "a.test");
}

TEST_F(VirtualHosts, all_addresses_are_a_star) {
  add("four", {address("0.0.0.0", 80)});
  add("six", {address("::", 80)});
  add("star", {address("*", 80)});
  EXPECT_EQ(choose(at("10.0.0.9", 80), "other"), "four");
  EXPECT_EQ(choose(at("10.0.0.9", 80), "six"), "six");
  EXPECT_EQ(choose(at("10.0.0.9", 80), "star"), "star");
}

TEST_F(VirtualHosts, the_most_specific_address_wins_in_any_order) {
  add("star", {address("*", {})});
  add("star-port", {address("*", 80)});
  add("ip", {address("10.0.0.1", {})});
  add("ip-port", {address("10.0.0.1", 80)});
  EXPECT_EQ(choose(at("10.0.0.1", 80), "x"), "ip-port");
  EXPECT_EQ(choose(at("10.0.0.1", 81), "x"), "ip");
  EXPECT_EQ(choose(at("10.0.0.9", 80), "x"), "star-port");
  EXPECT_EQ(choose(at("10.0.0.9", 81), "x"), "star");
}

TEST_F(VirtualHosts, q58_a_host_for_the_address_hides_all_star_hosts) {
  add("b.test", {address("*", 80)});
  add("ip.test", {address("127.0.0.1", 80)});
  EXPECT_EQ(choose(at("127.0.0.1", 80), "b.test"), "ip.test");
}

TEST_F(VirtualHosts, q114_an_earlier_wildcard_alias_beats_a_later_exact_name) {
  add("w.test", {address("*", 80)}).wild_aliases = {"*.ex.test"};
  add("a.ex.test", {address("*", 80)});
  EXPECT_EQ(choose(at("10.0.0.1", 80), "a.ex.test"), "w.test");
}

TEST_F(VirtualHosts, a_later_wildcard_alias_does_not_beat_an_earlier_name) {
  add("a.ex.test", {address("*", 80)});
  add("w.test", {address("*", 80)}).wild_aliases = {"*.ex.test"};
  EXPECT_EQ(choose(at("10.0.0.1", 80), "a.ex.test"), "a.ex.test");
  EXPECT_EQ(choose(at("10.0.0.1", 80), "b.ex.test"), "w.test");
}

TEST_F(VirtualHosts, only_stars_and_question_marks_are_wildcards_of_an_alias) {
  add("d.test", {address("*", 80)});
  add("w.test", {address("*", 80)}).wild_aliases = {"[ab]*.test", "x\\*.test", "y?*.t*"};
  const auto chosen = [this](std::string_view host) { return choose(at("10.0.0.1", 80), host); };
  EXPECT_EQ(chosen("a1.test"), "d.test");
  EXPECT_EQ(chosen("x*.test"), "d.test");
  EXPECT_EQ(chosen("[ab]1.test"), "w.test");
  EXPECT_EQ(chosen("Y1.tt.test"), "w.test");
  EXPECT_EQ(chosen("y.test"), "d.test");
}

TEST_F(VirtualHosts, q115_names_compare_without_case_and_final_dot) {
  add("d.test", {address("*", 80)});
  add("W.test", {address("*", 80)}).aliases = {"www.w.test"};
  EXPECT_EQ(choose(at("10.0.0.1", 80), "W.TEST."), "W.test");
  EXPECT_EQ(choose(at("10.0.0.1", 80), "WWW.w.test"), "W.test");
  EXPECT_EQ(choose(at("10.0.0.1", 80), "zz"), "d.test");
  EXPECT_EQ(choose(at("10.0.0.1", 80), "w.test.."), "d.test");
}

TEST_F(VirtualHosts, the_first_of_two_with_one_name_wins) {
  add("d.test", {address("*", 80)});
  add("a.test", {address("*", 80)}).admin = "first";
  add("a.test", {address("*", 80)}).admin = "second";
  EXPECT_EQ(VirtualHostIndex(config_).choose(at("1.1.1.1", 80), "a.test").admin, "first");
}

TEST_F(VirtualHosts, the_name_written_as_the_address_counts_last) {
  add("d.test", {address("127.0.0.1", 80)});
  add("s.test", {{IpAddress::parse("127.0.0.1"), 80, "localhost"}});
  EXPECT_EQ(choose(at("127.0.0.1", 80), "localhost"), "s.test");
  config_.servers[1]->aliases = {"localhost"};
  EXPECT_EQ(choose(at("127.0.0.1", 80), "localhost"), "d.test");
}

TEST_F(VirtualHosts, a_legacy_path_counts_only_without_a_host) {
  add("d.test", {address("*", 80)});
  add("p.test", {address("*", 80)}).legacy_path = "/sub";
  EXPECT_EQ(choose(at("1.1.1.1", 80), "", "/sub/x"), "p.test");
  EXPECT_EQ(choose(at("1.1.1.1", 80), "", "/subway"), "d.test");
  EXPECT_EQ(choose(at("1.1.1.1", 80), "zz", "/sub/x"), "d.test");
}

TEST_F(VirtualHosts, find_tells_whether_any_server_has_the_name) {
  add("a.test", {address("*", 80)}).wild_aliases = {"*.a.test"};
  const VirtualHostIndex index(config_);
  EXPECT_NE(index.group(at("1.1.1.1", 80)).find("x.a.test"), nullptr);
  EXPECT_EQ(index.group(at("1.1.1.1", 80)).find("b.test"), nullptr);
}

TEST_F(VirtualHosts, one_host_on_two_addresses_is_in_both_groups) {
  add("d.test", {address("*", 80)});
  add("a.test", {address("*", 80), address("*", 81)});
  EXPECT_EQ(choose(at("1.1.1.1", 80), "a.test"), "a.test");
  EXPECT_EQ(choose(at("1.1.1.1", 81), "d.test"), "a.test");
}

}  // namespace
}  // namespace steelyard::config
