// Loading costs a bounded amount of work for each member, whatever their number. Work is counted in
// allocations, which do not depend on the machine's speed.
#include <gtest/gtest.h>

#include "apacheconf/read.hpp"
#include "apacheconf/testing.hpp"
#include "tests/support/counting_heap.hpp"

namespace steelyard::apacheconf {
namespace {

std::string farm(int members) {
  std::string text =
      "ServerName x\nListen 1\nLoadModule proxy_module m\nLoadModule proxy_http_module m\n"
      "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n"
      "<Proxy balancer://farm>\n";
  for (int i = 0; i < members; ++i) {
    text += "BalancerMember http://10.0." + std::to_string(i / 250) + '.' +
            std::to_string(i % 250) + ":8080 route=r" + std::to_string(i) + " loadfactor=2\n";
  }
  return text + "</Proxy>\nProxyPass / balancer://farm/\n";
}

std::string nested(int containers) {
  std::string text = "ServerName x\nListen 1\nLoadModule authz_core_module m\n<Location /a>\n";
  for (int i = 0; i < containers; ++i) text += "<RequireAll>\nRequire all granted\n";
  for (int i = 0; i < containers; ++i) text += "</RequireAll>\n";
  return text + "</Location>\n";
}

std::string hosts(int sections, int virtual_hosts) {
  std::string text =
      "ServerName x\nListen 1\nLoadModule proxy_module m\nLoadModule proxy_http_module m\n";
  for (int i = 0; i < sections; ++i) {
    const std::string number = std::to_string(i);
    text.append("<Location /p").append(number).append(">\nProxyPass http://h");
    text.append(number).append("/\n</Location>\n");
  }
  for (int i = 0; i < virtual_hosts; ++i) {
    text += "<VirtualHost *:1>\nServerName v" + std::to_string(i) + "\n</VirtualHost>\n";
  }
  return text;
}

std::size_t allocations_for(const std::string& text,
                            std::unique_ptr<config::Config>* config = nullptr) {
  testing::Reader reader;
  const std::size_t before = heap_takes();
  auto result = reader.read(text);
  const std::size_t used = heap_takes() - before;
  EXPECT_TRUE(result);
  if (result && config != nullptr) *config = std::move(result->config);
  return used;
}

std::size_t allocations_for(int members) {
  std::unique_ptr<config::Config> config;
  const std::size_t used = allocations_for(farm(members), &config);
  if (config) {
    EXPECT_EQ(config->servers[0]->balancers.at(0)->members.size(),
              static_cast<std::size_t>(members));
  }
  return used;
}

TEST(LoadWork, grows_in_step_with_the_members) {
  allocations_for(1);  // tables are made at first use
  const std::size_t some = allocations_for(100);
  const std::size_t many = allocations_for(1000);
  EXPECT_LT(many, some * 12);
  EXPECT_LT(many / 1000, 200u);
}

TEST(LoadWork, grows_in_step_with_the_depth_of_containers) {
  allocations_for(nested(1));
  const std::size_t some = allocations_for(nested(10));
  const std::size_t many = allocations_for(nested(60));
  EXPECT_LT(many, some * 7);
}

// 32 more hosts that inherit 200 sections, their routes and their backends.
TEST(LoadWork, of_a_virtual_host_is_no_copy_of_what_it_inherits) {
  allocations_for(hosts(1, 1));
  const std::size_t few = allocations_for(hosts(200, 1));
  const std::size_t many = allocations_for(hosts(200, 33));
  EXPECT_LT((many - few) / 32, 300u);
}

}  // namespace
}  // namespace steelyard::apacheconf
