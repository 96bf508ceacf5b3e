#include "names/watcher.hpp"

#include <gtest/gtest.h>

#include "balance/edits.hpp"
#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "io/sim/sim_network.hpp"
#include "io/sim/sim_resolver.hpp"
#include "names/limits.hpp"

namespace steelyard::names {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class LineLog final : public proxy::LogSink {
 public:
  void access(const config::LogTarget& /*target*/, std::string_view /*line*/) override {}
  void error(const config::LogTarget& /*target*/, const proxy::ErrorLine& line) override {
    lines.emplace_back(line.text);
  }
  void turn_ended() override {}
  int count(std::string_view part) const {
    int found = 0;
    for (const std::string& line : lines) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }
  std::vector<std::string> lines;
};

io::NameReply reply(std::initializer_list<std::string_view> addresses, Duration ttl) {
  io::NameReply answer;
  for (const std::string_view text : addresses) answer.addresses.push_back(*IpAddress::parse(text));
  answer.ttl = ttl;
  return answer;
}

class NamesWorld : public testing::Test {
 protected:
  // Each: "URL key=value ..."
  void adopt(const std::vector<std::string>& members) {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    config->servers[0]->log_levels.general = config::LogLevel::info;
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    for (const std::string& line : members) {
      balance::MemberSpec member;
      std::size_t at = line.find(' ');
      CHECK(balance::parse_member_url(member, line.substr(0, at)));
      if (at != std::string::npos) {
        const std::string word = line.substr(at + 1);
        at = word.find('=');
        CHECK(balance::set_member_parameter(member, word.substr(0, at), word.substr(at + 1)));
      }
      spec->members.push_back(member);
    }
    config->servers[0]->balancers.push_back(spec);
    generation = registry.bind(std::move(config), loop.now());
    watcher.adopt(generation);
    pass(milliseconds(10));
  }
  void pass(Duration time) { loop.advance(time); }
  std::vector<balance::MemberView> members() {
    return generation->groups()[0].balancers[0].state->members();
  }
  // "name Status", or where it leads.
  std::string state(std::size_t at = 0) {
    const auto view = members().at(at);
    const auto list = view.member->addresses().list();
    if (list == nullptr) return view.spec->name + " " + balance::display_text(view.status);
    std::string text;
    for (const IpAddress& address : *list) text += (text.empty() ? "" : " ") + address.text();
    return text;
  }
  std::vector<std::string> names_of_members() {
    std::vector<std::string> all;
    for (const auto& view : members()) all.push_back(view.spec->name);
    return all;
  }

  io::SimLoop loop;
  io::SimResolver resolver{loop};
  LineLog log;
  int changes = 0;
  proxy::StateRegistry registry;
  std::shared_ptr<const proxy::Generation> generation;
  Watcher watcher{{loop, resolver, log, [this] { ++changes; }}};
};

using Names = std::vector<std::string>;

TEST_F(NamesWorld, a_change_is_seen_when_the_answer_s_time_is_over) {
  resolver.set("app", reply({"10.0.0.1"}, seconds(30)));
  adopt({"http://app"});
  EXPECT_EQ(state(), "10.0.0.1");
  resolver.set("app", reply({"10.0.0.2"}, seconds(30)));
  pass(seconds(29));
  EXPECT_EQ(state(), "10.0.0.1");
  EXPECT_EQ(resolver.questions("app"), 1);
  pass(seconds(2));
  EXPECT_EQ(state(), "10.0.0.2");
  EXPECT_EQ(log.count("app leads to 10.0.0.2 now, no longer to 10.0.0.1"), 1);
}

TEST_F(NamesWorld, times_have_a_floor_and_a_ceiling) {
  resolver.set("short", reply({"10.0.0.1"}, milliseconds(1)));
  resolver.set("long", reply({"10.0.0.1"}, hours(100)));
  adopt({"http://short", "http://long"});
  pass(seconds(60));
  EXPECT_GT(resolver.questions("short"), 50);
  EXPECT_LE(resolver.questions("short"), 61);
  EXPECT_EQ(resolver.questions("long"), 1);
  pass(hours(1));
  EXPECT_EQ(resolver.questions("long"), 2);
}

TEST_F(NamesWorld, addressttl_counts_instead_of_the_records_time) {
  resolver.set("app", reply({"10.0.0.1"}, seconds(1)));
  adopt({"http://app addressttl=60"});
  pass(seconds(59));
  EXPECT_EQ(resolver.questions("app"), 1);
  pass(seconds(2));
  EXPECT_EQ(resolver.questions("app"), 2);
}

TEST_F(NamesWorld, addressttl_of_minus_one_asks_once_and_zero_leaves_it_to_each_connection) {
  resolver.set("app", reply({"10.0.0.1"}, seconds(1)));
  adopt({"http://app addressttl=-1", "http://other addressttl=0", "http://10.1.1.1"});
  pass(hours(24));
  EXPECT_EQ(resolver.questions("app"), 1);
  EXPECT_EQ(resolver.questions("other"), 0);
  EXPECT_EQ(watcher.name_count(), 1U);
}

TEST_F(NamesWorld, a_name_server_that_fails_leaves_the_last_answer_and_one_line) {
  resolver.set("app", reply({"10.0.0.1"}, seconds(1)));
  adopt({"http://app"});
  resolver.fail("app", "the name server failed");
  pass(seconds(100));
  EXPECT_EQ(state(), "10.0.0.1");
  EXPECT_TRUE(members()[0].member->usable());
  EXPECT_EQ(log.count("it goes on leading to 10.0.0.1"), 1);
  // 1, 2, 4, 8, 8 ... seconds
  EXPECT_LE(resolver.questions("app"), 17);
  resolver.fail("app", "no such name");
  pass(seconds(100));
  EXPECT_EQ(log.count("it goes on leading to 10.0.0.1"), 2);
  resolver.set("app", reply({"10.0.0.1"}, seconds(1)));
  pass(seconds(9));
  EXPECT_EQ(log.count("app is answered again: 10.0.0.1"), 1);
}

TEST_F(NamesWorld, a_member_without_an_address_is_down_with_the_reason_until_there_is_one) {
  resolver.fail("app", "no such name");
  adopt({"http://app", "http://10.1.1.1"});
  EXPECT_EQ(state(), "http://app Init Name ");
  EXPECT_EQ(members()[0].name_fault, "no such name");
  EXPECT_EQ(members()[0].member->health_log().events().back().cause,
            balance::HealthCause::name_lost);
  resolver.set("app", reply({"10.0.0.1"}, seconds(1)));
  pass(retry_max + seconds(1));
  EXPECT_EQ(state(), "10.0.0.1");
  EXPECT_TRUE(members()[0].member->usable());
}

TEST_F(NamesWorld, the_order_of_an_answer_is_no_change) {
  resolver.set("app", reply({"10.0.0.1", "10.0.0.2"}, seconds(1)));
  adopt({"http://app"});
  const std::uint32_t version = members()[0].member->addresses().version();
  resolver.set("app", reply({"10.0.0.2", "10.0.0.1"}, seconds(1)));
  pass(seconds(5));
  EXPECT_EQ(members()[0].member->addresses().version(), version);
  EXPECT_EQ(log.count("no longer"), 0);
}

TEST_F(NamesWorld, each_address_is_a_member_and_none_is_lost_when_the_name_is) {
  resolver.set("app", reply({"10.0.0.2", "10.0.0.1"}, seconds(1)));
  adopt({"http://app resolve=each"});
  EXPECT_EQ(names_of_members(), (Names{"http://10.0.0.1", "http://10.0.0.2"}));
  EXPECT_EQ(changes, 1);
  resolver.set("app", reply({"10.0.0.2", "10.0.0.3"}, seconds(1)));
  pass(seconds(2));
  EXPECT_EQ(names_of_members(), (Names{"http://10.0.0.2", "http://10.0.0.3"}));
  EXPECT_EQ(changes, 2);
  resolver.set("app", {});
  pass(seconds(20));
  EXPECT_EQ(names_of_members(), (Names{"http://10.0.0.2", "http://10.0.0.3"}));
  EXPECT_EQ(log.count("the answer is empty; it goes on leading to 10.0.0.2, 10.0.0.3"), 1);
}

TEST_F(NamesWorld, services_are_members_whose_own_names_are_looked_up) {
  io::NameReply services;
  services.services = {{.priority = 1, .weight = 1, .port = 81, .target = "A.example."},
                       {.priority = 2, .weight = 1, .port = 82, .target = "b.example"},
                       {.priority = 3, .weight = 1, .port = 83, .target = "c\r\nX: y"},
                       {.priority = 3, .weight = 1, .port = 83, .target = "c/d@e"}};
  services.ttl = seconds(1);
  resolver.set("_http._tcp.app", services);
  resolver.set("a.example", reply({"10.0.0.1"}, seconds(60)));
  resolver.fail("b.example", "no such name");
  adopt({"http://_http._tcp.app resolve=srv"});
  pass(seconds(1));
  EXPECT_EQ(names_of_members(), (Names{"http://a.example:81", "http://b.example:82"}));
  EXPECT_EQ(state(0), "10.0.0.1");
  EXPECT_EQ(state(1), "http://b.example:82 Init Name ");
  services.services.resize(1);
  resolver.set("_http._tcp.app", services);
  pass(seconds(3));
  EXPECT_EQ(names_of_members(), Names{"http://a.example:81"});
  EXPECT_EQ(watcher.name_count(), 2U);
}

TEST_F(NamesWorld, a_reload_begins_with_what_is_known_and_asks_only_for_new_names) {
  resolver.set("app", reply({"10.0.0.1", "10.0.0.2"}, hours(1)));
  resolver.set("b", reply({"10.0.0.9"}, hours(1)));
  adopt({"http://app resolve=each"});
  resolver.silent = true;
  adopt({"http://app resolve=each", "http://b"});
  EXPECT_EQ(names_of_members(), (Names{"http://10.0.0.1", "http://10.0.0.2", "http://b"}));
  EXPECT_EQ(resolver.questions("app"), 1);
  resolver.answer_all();
  loop.settle();
  EXPECT_EQ(state(2), "10.0.0.9");
  // A name that nobody has any more is looked up no more, whatever is under way.
  adopt({"http://10.1.1.1"});
  EXPECT_EQ(watcher.name_count(), 0U);
}

TEST_F(NamesWorld, who_waits_for_members_hears_when_all_names_were_looked_up) {
  resolver.silent = true;
  adopt({"http://app resolve=each"});
  bool settled = false;
  watcher.when_settled([&settled] { settled = true; });
  loop.settle();
  EXPECT_FALSE(settled);
  resolver.fail("app", "no such name");
  resolver.answer_all();
  loop.settle();
  EXPECT_TRUE(settled);
  EXPECT_EQ(state(), "http://app Init Name ");
}

TEST_F(NamesWorld, addresses_that_fail_are_looked_up_again_at_once_but_not_for_each_request) {
  resolver.set("app", reply({"10.0.0.1"}, hours(1)));
  adopt({"http://app"});
  pass(seconds(10));
  for (int i = 0; i < 100; ++i) {
    watcher.look_again(members()[0].member);
    pass(milliseconds(10));
  }
  EXPECT_GE(resolver.questions("app"), 2);
  EXPECT_LE(resolver.questions("app"), 3);
}

TEST_F(NamesWorld, the_name_of_an_added_member_is_looked_up) {
  adopt({"http://10.0.0.1"});
  EXPECT_FALSE(has_names(*generation));
  balance::ChangeOrder order;
  order.added = {"http://app"};
  order.added_max = 1;
  auto& balancer = *generation->groups()[0].balancers[0].state;
  ASSERT_TRUE(balance::Edits(balancer).change(order, loop.now()));
  EXPECT_TRUE(has_names(*generation));
  watcher.adopt(generation);
  pass(milliseconds(10));
  EXPECT_EQ(resolver.questions("app"), 1);
}

TEST_F(NamesWorld, a_lookup_that_never_ends_is_given_up) {
  resolver.silent = true;
  adopt({"http://app"});
  pass(lookup_time_max + seconds(1));
  EXPECT_EQ(members()[0].name_fault, "the lookup did not end");
}

TEST_F(NamesWorld, only_so_many_lookups_are_under_way) {
  resolver.silent = true;
  std::vector<std::string> many;
  for (std::size_t i = 0; i < 2 * lookups_under_way_max; ++i)
    many.push_back("http://n" + std::to_string(i));
  adopt(many);
  pass(seconds(1));
  std::size_t asked = 0;
  for (std::size_t i = 0; i < many.size(); ++i)
    asked += static_cast<std::size_t>(resolver.questions("n" + std::to_string(i)));
  EXPECT_EQ(asked, lookups_under_way_max);
}

}  // namespace
}  // namespace steelyard::names
