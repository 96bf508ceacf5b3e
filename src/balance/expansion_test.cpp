#include "balance/expansion.hpp"

#include <gtest/gtest.h>

#include "balance/balancer.hpp"
#include "balance/parameters.hpp"

namespace steelyard::balance {
namespace {

MemberSpec member(std::string_view url, NameMeaning meaning, std::string tag = {}) {
  MemberSpec spec;
  EXPECT_TRUE(parse_member_url(spec, url));
  spec.meaning = meaning;
  spec.tag = std::move(tag);
  return spec;
}

std::shared_ptr<const BalancerSpec> balancer(std::vector<MemberSpec> members) {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://app";
  spec->sticky.cookie_name = "SID";
  spec->members = std::move(members);
  return spec;
}

NameAnswer addresses(std::initializer_list<std::string_view> texts) {
  NameAnswer answer;
  for (const std::string_view text : texts) answer.addresses.push_back(*IpAddress::parse(text));
  return answer;
}

std::vector<std::string> names(const BalancerSpec& spec) {
  std::vector<std::string> all;
  all.reserve(spec.members.size());
  for (const MemberSpec& one : spec.members) all.push_back(one.name);
  return all;
}

using Names = std::vector<std::string>;
constexpr auto each = NameMeaning::addresses;
constexpr auto srv = NameMeaning::services;

TEST(Expansion, a_balancer_without_such_members_is_itself) {
  const auto spec = balancer({member("http://a", NameMeaning::one_member)});
  EXPECT_EQ(expand(spec, {}), spec);
}

TEST(Expansion, without_an_answer_the_member_stands_for_itself_and_is_down) {
  const auto expanded = expand(balancer({member("http://app:81/x", each)}), {});
  EXPECT_EQ(names(*expanded), Names{"http://app:81/x"});
  EXPECT_TRUE(expanded->members[0].status.has(Flag::nameless));
}

TEST(Expansion, each_address_is_a_member_in_an_order_that_no_name_server_changes) {
  const auto spec = balancer({member("http://app:81/x", each), member("http://b", {})});
  const auto one = expand(spec, {{{each, "app"}, addresses({"10.0.0.6", "::1", "10.0.0.5"})}});
  const auto other =
      expand(spec, {{{each, "app"}, addresses({"::1", "10.0.0.5", "10.0.0.6", "10.0.0.5"})}});
  EXPECT_EQ(names(*one), (Names{"http://10.0.0.5:81/x", "http://10.0.0.6:81/x", "http://[::1]:81/x",
                                "http://b"}));
  EXPECT_EQ(names(*one), names(*other));
  EXPECT_EQ(one->members[0].host, "app");
  EXPECT_EQ(one->members[0].tag, "10-0-0-5-81");
  EXPECT_EQ(one->members[2].tag, "--1-81");
  EXPECT_FALSE(one->members[0].status.has(Flag::nameless));
}

TEST(Expansion, a_tag_is_made_as_route_says) {
  const auto spec = balancer({member("http://app.example:81", each, "w%%-%h-%a-%p")});
  const auto expanded = expand(spec, {{{each, "app.example"}, addresses({"10.0.0.5"})}});
  EXPECT_EQ(expanded->members[0].tag, "w%-app-10-0-0-5-81");
  EXPECT_TRUE(is_tag_pattern("x%a"));
  EXPECT_FALSE(is_tag_pattern("x"));
  EXPECT_FALSE(is_tag_pattern("x%%"));
  EXPECT_FALSE(is_tag_pattern("%a%"));
  EXPECT_FALSE(is_tag_pattern("%a%z"));
}

TEST(Expansion, services_become_sets_by_priority_and_factors_by_weight) {
  NameAnswer answer;
  answer.services = {{.priority = 20, .weight = 0, .port = 80, .host = "c.x"},
                     {.priority = 10, .weight = 60000, .port = 8080, .host = "a.x"},
                     {.priority = 10, .weight = 30000, .port = 8080, .host = "b.x"}};
  const auto expanded =
      expand(balancer({member("http://_http._tcp.app", srv)}), {{{srv, "_http._tcp.app"}, answer}});
  EXPECT_EQ(names(*expanded), (Names{"http://a.x:8080", "http://b.x:8080", "http://c.x"}));
  const auto& members = expanded->members;
  EXPECT_EQ((std::vector{members[0].lbset, members[1].lbset, members[2].lbset}),
            (std::vector{0, 0, 1}));
  EXPECT_EQ((std::vector{members[0].load_factor, members[1].load_factor, members[2].load_factor}),
            (std::vector{10000, 5000, 100}));
  EXPECT_EQ(members[0].tag, "a-8080");
  EXPECT_TRUE(members[0].has_watched_name());
}

TEST(Expansion, a_name_becomes_no_more_members_than_the_limit) {
  NameAnswer answer;
  for (std::uint32_t i = 0; i < 2 * members_of_name_max; ++i)
    answer.addresses.push_back(IpAddress::v4(0x0a000000 + i));
  const auto expanded = expand(balancer({member("http://app", each)}), {{{each, "app"}, answer}});
  EXPECT_EQ(expanded->members.size(), members_of_name_max);
  EXPECT_EQ(expanded->members.back().name, "http://10.0.0.255");
}

const Instant now = Instant{} + std::chrono::hours(1);

std::string picked(Balancer& app) {
  const Decision decision = app.choose({.session = {}, .now = now});
  return decision.lease ? decision.lease.spec().name : std::string("none");
}

TEST(NamesOfMembers, those_that_stay_keep_their_state_and_those_that_go_are_retired) {
  const auto spec = balancer({member("http://app", each)});
  Balancer app(spec);
  EXPECT_EQ(picked(app), "none");
  app.take_answer(each, "app", addresses({"10.0.0.1", "10.0.0.2"}), now);
  EXPECT_EQ(picked(app), "http://10.0.0.1");
  EXPECT_EQ(picked(app), "http://10.0.0.2");
  const MemberRef first = app.members()[0].member, second = app.members()[1].member;
  app.take_answer(each, "app", addresses({"10.0.0.2", "10.0.0.3"}), now);
  EXPECT_TRUE(first->retired());
  EXPECT_EQ(app.members()[0].member, second);
  EXPECT_EQ(app.members()[0].elected, 1U);
  // The next generation begins with what is known.
  app.adopt(balancer({member("http://app", each), member("http://b", {})}), now);
  EXPECT_EQ(app.members()[0].member, second);
  EXPECT_EQ(app.members().size(), 3U);
}

TEST(NamesOfMembers, a_reload_that_tells_their_addresses_apart_waits_for_no_lookup) {
  const auto one = member("http://app:81", NameMeaning::one_member);
  Balancer app(balancer({one}));
  const auto known = addresses({"10.0.0.5", "10.0.0.6"}).addresses;
  app.take_addresses(app.members()[0].member, std::make_shared<const std::vector<IpAddress>>(known),
                     now);
  app.adopt(balancer({member("http://app:81", each)}), now);
  EXPECT_EQ(names(*app.spec()), (Names{"http://10.0.0.5:81", "http://10.0.0.6:81"}));
  for (const auto& view : app.members()) EXPECT_TRUE(view.status.usable());
  // Another name is not known by that, nor one that nobody looked up.
  app.adopt(balancer({member("http://other:81", each)}), now);
  EXPECT_TRUE(app.members()[0].status.has(Flag::nameless));
}

TEST(NamesOfMembers, one_address_of_a_name_is_another_member_than_the_address_itself) {
  Balancer app(balancer({member("http://10.0.0.5:81", NameMeaning::one_member)}));
  const MemberRef written = app.members()[0].member;
  app.adopt(balancer({member("http://app:81", each)}), now);
  app.take_answer(each, "app", addresses({"10.0.0.5"}), now);
  ASSERT_EQ(names(*app.spec()), Names{"http://10.0.0.5:81"});
  EXPECT_EQ(app.members()[0].member->authority(), "app:81");
  EXPECT_TRUE(written->retired());
  // The same in one step, when the name is known already.
  app.adopt(balancer({member("http://10.0.0.5:81", NameMeaning::one_member)}), now);
  EXPECT_EQ(app.members()[0].member->authority(), "10.0.0.5:81");
}

TEST(NamesOfMembers,
     a_busy_member_whose_weight_goes_back_and_forth_has_one_configuration_for_each) {
  const auto services = [](std::uint16_t weight) {
    return NameAnswer{.addresses = {},
                      .services = {{.priority = 1, .weight = weight, .port = 81, .host = "b"}}};
  };
  Balancer app(balancer({member("http://_http._tcp.app", srv)}));
  std::vector<Lease> leases;
  const auto choose_with = [&](std::uint16_t weight) {
    app.take_answer(srv, "_http._tcp.app", services(weight), now);
    leases.push_back(app.choose({.session = {}, .now = now}).lease);
    EXPECT_EQ(leases.back().spec().load_factor, weight * load_factor_unit);
    return &leases.back().spec();
  };
  const MemberSpec* const light = choose_with(1);
  const MemberSpec* const heavy = choose_with(9);
  EXPECT_NE(light, heavy);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(choose_with(1), light);
    EXPECT_EQ(choose_with(9), heavy);
  }
}

TEST(NamesOfMembers, news_of_before_a_reload_take_no_one_down_whom_nobody_looks_after_now) {
  const auto named = member("http://app", {});
  Balancer app(balancer({named}));
  const MemberRef only = app.members()[0].member;
  MemberSpec unwatched = named;
  unwatched.address_ttl = std::chrono::seconds(0);
  app.adopt(balancer({unwatched}), now);
  EXPECT_FALSE(app.name_failed(only, "no such name", now));
  EXPECT_TRUE(only->usable());
}

TEST(NamesOfMembers, a_member_whose_name_never_led_anywhere_is_down_until_it_does) {
  Balancer app(balancer({member("http://a", {}), member("http://b", {})}));
  const MemberRef a = app.members()[0].member;
  EXPECT_TRUE(app.name_failed(a, "no such name", now));
  EXPECT_EQ(display_text(a->status()), "Init Name ");
  EXPECT_EQ(app.members()[0].name_fault, "no such name");
  EXPECT_EQ(picked(app), "http://b");
  EXPECT_EQ(picked(app), "http://b");
  const auto somewhere = std::make_shared<const std::vector<IpAddress>>(1, IpAddress::v4(1));
  EXPECT_TRUE(app.take_addresses(a, somewhere, now));
  EXPECT_TRUE(a->usable());
  EXPECT_EQ(app.members()[0].name_fault, "");
  // From now on there is a last good answer.
  EXPECT_FALSE(app.name_failed(a, "no such name", now));
  EXPECT_TRUE(a->usable());
}

TEST(NamesOfMembers, the_others_recover_by_force_while_one_has_no_address) {
  Balancer app(balancer({member("http://a", {}), member("http://b", {})}));
  app.name_failed(app.members()[0].member, "no such name", now);
  {
    const Decision decision = app.choose({.session = {}, .now = now});
    EXPECT_TRUE(app.force_error(decision.lease, now));
  }
  EXPECT_EQ(picked(app), "http://b");
}

TEST(NamesOfMembers, an_error_is_forgotten_when_the_name_means_other_machines_only) {
  Balancer app(balancer({member("http://a", {})}));
  const MemberRef a = app.members()[0].member;
  const auto list = [](std::initializer_list<std::uint32_t> numbers) {
    std::vector<IpAddress> all;
    for (const std::uint32_t number : numbers) all.push_back(IpAddress::v4(number));
    return std::make_shared<const std::vector<IpAddress>>(std::move(all));
  };
  app.take_addresses(a, list({1}), now);
  const std::uint32_t version = a->addresses().version();
  EXPECT_FALSE(app.take_addresses(a, list({1}), now));
  EXPECT_EQ(a->addresses().version(), version);
  {
    const Decision decision = app.choose({.session = {}, .now = now});
    EXPECT_TRUE(app.force_error(decision.lease, now));
  }
  app.take_addresses(a, list({1, 2}), now);
  EXPECT_TRUE(a->status().has(Flag::in_error));
  app.take_addresses(a, list({3}), now);
  EXPECT_FALSE(a->status().has(Flag::in_error));
  EXPECT_TRUE(a->addresses().holds(IpAddress::v4(3)));
  EXPECT_FALSE(a->addresses().holds(IpAddress::v4(1)));
}

}  // namespace
}  // namespace steelyard::balance
