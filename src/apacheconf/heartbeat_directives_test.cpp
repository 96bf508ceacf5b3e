#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view modules =
    "LoadModule heartmonitor_module m\nLoadModule heartbeat_module m\n"
    "LoadModule lbmethod_heartbeat_module m\n";

class HeartbeatDirectives : public ::testing::Test {
 protected:
  config::HeartbeatSettings settings(const std::string& text) {
    auto result = reader_.read(std::string(testing::preamble) + text);
    EXPECT_TRUE(result) << text;
    return result ? result->config->heartbeat : config::HeartbeatSettings();
  }
  config::HeartbeatSettings with_modules(const std::string& text) {
    return settings(std::string(modules) + text);
  }
  // The first fault, without its line.
  std::string fault(const std::string& text) {
    const auto faults =
        reader_.faults(std::string(testing::preamble) + std::string(modules) + text);
    return faults.empty() ? "" : faults[0].substr(faults[0].find(' ') + 1);
  }

  testing::Reader reader_;
};

TEST_F(HeartbeatDirectives, httpds_defaults_hold_once_a_module_is_loaded) {
  EXPECT_EQ(settings("").storage_path, "");
  const auto read = with_modules("");
  EXPECT_EQ(read.storage_path, "/c/run/hb.dat");
  EXPECT_EQ(read.servers_max, 10U);
  EXPECT_FALSE(read.listen);
  EXPECT_FALSE(read.send_to);
  EXPECT_EQ(read.capacity, 400U);
}

TEST_F(HeartbeatDirectives, what_is_written_is_read) {
  const auto read = with_modules(
      "DefaultRuntimeDir /rt\nHeartbeatListen 239.0.0.1:27999\nHeartbeatMaxServers 20\n"
      "HeartbeatStorage beats\nHeartbeatAddress 10.0.0.1:9\nMaxRequestWorkers 150");
  EXPECT_EQ(read.listen->text(), "239.0.0.1:27999");
  EXPECT_EQ(read.send_to->text(), "10.0.0.1:9");
  EXPECT_EQ(read.storage_path, "/rt/beats");
  EXPECT_EQ(read.servers_max, 20U);
  EXPECT_EQ(read.capacity, 150U);
}

TEST_F(HeartbeatDirectives, slots_are_used_with_mod_heartmonitor_unless_it_may_keep_none) {
  EXPECT_FALSE(with_modules("").uses_file());
  EXPECT_TRUE(with_modules("HeartbeatMaxServers 0").uses_file());
  EXPECT_TRUE(settings("LoadModule lbmethod_heartbeat_module m").uses_file());
}

TEST_F(HeartbeatDirectives, the_storage_is_known_to_either_module) {
  const std::string storage = "HeartbeatStorage /x";
  EXPECT_EQ(settings("LoadModule lbmethod_heartbeat_module m\n" + storage).storage_path, "/x");
  EXPECT_EQ(settings("LoadModule heartmonitor_module m\n" + storage).storage_path, "/x");
  EXPECT_THAT(reader_.faults(storage).front(), HasSubstr("Invalid command 'HeartbeatStorage'"));
}

TEST_F(HeartbeatDirectives, httpds_words_for_addresses_that_are_none) {
  EXPECT_EQ(fault("HeartbeatListen 239.0.0.1"),
            "HeartbeatListen: No port provided in multicast address");
  EXPECT_EQ(fault("HeartbeatListen 80"), "HeartbeatListen: No host provided in multicast address");
  for (const std::string word : {":80", "239.0.0.1:0", "239.0.0.1:65536"}) {
    EXPECT_EQ(fault("HeartbeatListen " + word),
              "HeartbeatListen: Unable to parse multicast address.");
  }
  for (const std::string word : {"*:9000", "[ff02::1]:9000", "nosuch.invalid:9"}) {
    EXPECT_EQ(fault("HeartbeatListen " + word),
              "HeartbeatListen: apr_sockaddr_info_get failed on multicast address");
  }
  EXPECT_EQ(fault("HeartbeatAddress 239.0.0.1"), "HeartbeatAddress: No port provided in address");
  EXPECT_EQ(fault("HeartbeatAddress 80"), "HeartbeatAddress: No host provided in address");
  EXPECT_EQ(fault("HeartbeatListen"),
            "HeartbeatListen takes one argument, Address to listen for heartbeat requests");
}

TEST_F(HeartbeatDirectives, one_address_each_and_only_in_the_main_server) {
  const std::string line = "HeartbeatListen 239.0.0.1:9\n";
  EXPECT_EQ(fault(line + line), "HeartbeatListen: May only be specified once.");
  EXPECT_EQ(fault("<VirtualHost *>\n" + line + "</VirtualHost>"),
            "HeartbeatListen cannot occur within <VirtualHost> section");
  EXPECT_EQ(with_modules("HeartbeatStorage a\nHeartbeatStorage b\n").storage_path, "/c/run/b");
}

TEST_F(HeartbeatDirectives, so_many_servers_or_none) {
  for (const std::string word : {"1", "9", "-1"}) {
    EXPECT_EQ(fault("HeartbeatMaxServers " + word),
              "HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for "
              "slotmem");
  }
  EXPECT_EQ(with_modules("HeartbeatMaxServers 10").servers_max, 10U);
  EXPECT_EQ(fault("HeartbeatMaxServers 65536"), "HeartbeatMaxServers 65536 is more than 65535");
}

TEST_F(HeartbeatDirectives, an_address_that_is_no_group_is_taken_and_told) {
  const auto said = reader_.remarks(std::string(testing::preamble) + std::string(modules) +
                                    "HeartbeatListen 127.0.0.1:9");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], HasSubstr("is no multicast group"));
}

TEST_F(HeartbeatDirectives, the_policy_needs_its_module) {
  const std::string line = "ProxyPass /x balancer://c/ lbmethod=heartbeat";
  const std::string proxy =
      "LoadModule proxy_module m\nLoadModule proxy_balancer_module m\n"
      "LoadModule lbmethod_byrequests_module m\n";
  EXPECT_EQ(fault(proxy + "BalancerMember balancer://c http://h\n" + line), "");
  EXPECT_THAT(reader_.faults(std::string(testing::preamble) + proxy + line).front(),
              HasSubstr("unknown lbmethod"));
}

TEST_F(HeartbeatDirectives, slowstart_is_told_to_have_no_effect) {
  const auto said = reader_.remarks(
      std::string(testing::preamble) + std::string(modules) +
      "LoadModule proxy_module m\nLoadModule proxy_http_module m\n"
      "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n"
      "BalancerMember balancer://c http://10.0.0.1 slowstart=9\n"
      "ProxyPass /x balancer://c/ lbmethod=heartbeat");
  ASSERT_FALSE(said.empty());
  EXPECT_THAT(said.front(),
              HasSubstr("slowstart of balancer://c has no effect with lbmethod=heartbeat"));
}

TEST_F(HeartbeatDirectives, SetHandler_heartbeat_acts_where_the_module_is_loaded) {
  const std::string section = "<Location /hb>\nSetHandler heartbeat\n</Location>\n";
  auto result = reader_.read(std::string(testing::preamble) + std::string(modules) + section);
  ASSERT_TRUE(result);
  EXPECT_EQ((*result->config->servers[0]->locations.begin()).settings.responder,
            config::Responder::heartbeat);
  const auto said = reader_.remarks(std::string(testing::preamble) + section);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], HasSubstr("LoadModule heartmonitor_module"));
}

}  // namespace
}  // namespace steelyard::apacheconf
