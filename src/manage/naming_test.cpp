#include "manage/naming.hpp"

#include <gmock/gmock.h>

#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using ::testing::ElementsAre;

class Naming : public DeskWorld {
 protected:
  std::vector<std::string> labels() {
    std::vector<std::string> all;
    for (const NamedBalancer& one : name_balancers(*generation)) all.push_back(one.label);
    return all;
  }
  std::string found(std::string_view wanted) {
    const auto one = find_balancer(name_balancers(*generation), wanted);
    return one ? one->label : one.error().text;
  }
  std::string member(std::string_view wanted) {
    const auto one = find_member(name_balancers(*generation).front(), wanted);
    return one ? one->spec->name : one.error().text;
  }
};

TEST_F(Naming, a_name_that_is_unique_needs_no_scope) {
  EXPECT_THAT(labels(), ElementsAre("balancer://app"));
  for (const char* name : {"app", "APP", "balancer://app", "main/app", "main/balancer://app"})
    EXPECT_EQ(found(name), "balancer://app") << name;
  EXPECT_EQ(found("other"), "no balancer \"other\"");
  EXPECT_EQ(found("host/app"), "no balancer \"host/app\"");
}

TEST_F(Naming, virtual_hosts_with_their_own_are_told_apart) {
  auto config = one_balancer();
  add_host(*config, "shop.test", 443, sticky_spec("app", 3));
  add_host(*config, "shop.test", 443, sticky_spec("app", 1));
  add_host(*config, "news.test", 80, sticky_spec("news", 1));
  adopt(std::move(config));
  EXPECT_THAT(labels(), ElementsAre("main/balancer://app", "shop.test:443/balancer://app",
                                    "shop.test:443#2/balancer://app", "balancer://news"));
  EXPECT_EQ(found("shop.test:443#2/app"), "shop.test:443#2/balancer://app");
  EXPECT_EQ(found("main/app"), "main/balancer://app");
  EXPECT_EQ(found("news"), "balancer://news");
  const auto fault = find_balancer(name_balancers(*generation), "app").error();
  EXPECT_EQ(fault.text, "\"app\" is the name of several balancers");
  EXPECT_EQ(fault.choices.size(), 3U);
}

TEST_F(Naming, what_a_host_inherits_is_the_main_servers) {
  auto config = one_balancer();
  add_host(*config, "shop.test", 443, config->servers[0]->balancers[0]);
  adopt(std::move(config));
  EXPECT_THAT(labels(), ElementsAre("balancer://app"));
}

TEST_F(Naming, members_have_a_url_an_address_and_a_route) {
  for (const char* name : {"http://m2:8080", "m2:8080", "r2"})
    EXPECT_EQ(member(name), "http://m2:8080") << name;
  EXPECT_EQ(member("r9"), "no member \"r9\" in balancer://app");
}

TEST_F(Naming, a_route_that_two_members_have_is_no_name) {
  auto spec = std::make_shared<balance::BalancerSpec>(*sticky_spec("app", 3));
  spec->members[2].tag = "r2";
  auto config = one_balancer();
  config->servers[0]->balancers[0] = spec;
  adopt(std::move(config));
  EXPECT_EQ(member("r2"), "\"r2\" means several members of balancer://app");
  EXPECT_EQ(member("r1"), "http://m1:8080");
}

}  // namespace
}  // namespace steelyard::manage
