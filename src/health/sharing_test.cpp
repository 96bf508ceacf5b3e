// Checks that members of several balancers share (hcshare=On).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/drains.hpp"
#include "balance/edits.hpp"
#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using balance::Flag;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using Then = PlayedMember::Then;
using Words = std::vector<std::string>;

// A member of http://m1 in a balancer of its own.
struct Line {
  std::string balancer;
  Words words = {};
  std::size_t server = 0;
};

class Sharing : public testing::Test {
 protected:
  Sharing() { world.listen("m1:80", played); }

  void use(const std::vector<Line>& lines, const Words& all = {"hcshare=On"}) {
    auto config = world.make_config(0);
    config->servers[0]->balancers.clear();
    for (const Line& line : lines) {
      while (config->servers.size() <= line.server) {
        config->servers.push_back(std::make_unique<config::Server>());
        config->servers.back()->index = static_cast<std::uint32_t>(config->servers.size() - 1);
        config->servers.back()->client.timeout = seconds(3);
        config->servers.back()->log_levels.general = config::LogLevel::debug;
      }
      Words words{"hcmethod=GET", "hcuri=/h", "hcinterval=1"};
      words.insert(words.end(), all.begin(), all.end());
      words.insert(words.end(), line.words.begin(), line.words.end());
      auto spec = std::make_shared<balance::BalancerSpec>();
      spec->name = "balancer://" + line.balancer;
      spec->members = {checked_member("http://m1", words)};
      config->servers[line.server]->balancers.push_back(spec);
    }
    world.adopt(std::move(config));
  }

  balance::Balancer& balancer(std::string_view name) {
    for (const auto& groups : world.generation->groups()) {
      for (const proxy::Group& group : groups.balancers) {
        if (group.state->name() == "balancer://" + std::string(name)) return *group.state;
      }
    }
    CHECK(false);
  }
  balance::MemberView view(std::string_view name) { return balancer(name).members().at(0); }
  // Of the balancers named by single letters: - is up, C and E as they are.
  std::string statuses(std::string_view names) {
    std::string all;
    for (const char name : names) {
      const balance::Status status = view({&name, 1}).status;
      all += status.has(Flag::health_failed) ? 'C' : status.has(Flag::in_error) ? 'E' : '-';
    }
    return all;
  }
  void fail_request(std::string_view name) {
    const balance::Decision decision =
        balancer(name).choose({.session = {}, .now = world.loop.now()});
    ASSERT_TRUE(decision.lease);
    balancer(name).connect_failed(decision.lease, world.loop.now());
  }
  void change(std::string_view name, const std::string& field, const std::string& value) {
    balance::ChangeOrder order;
    order.fields = {{"http://m1", field, value}};
    ASSERT_TRUE(balance::Edits(balancer(name)).change(order, world.loop.now()));
    world.prober.adopt(world.generation);
  }
  void hang() {
    played.answer.clear();
    played.then = Then::stay_open;
  }
  void answer(std::string_view status) {
    played.answer = "HTTP/1.0 " + std::string(status) + " X\r\n\r\n";
    played.then = Then::close;
  }
  // Until the answers that hang are there.
  void release(std::string_view status) {
    answer(status);
    for (auto& stream : played.open) stream->say(played.answer);
    played.open.clear();
    world.loop.settle();
  }
  // Just one check of who is due each second.
  void one_check() { world.pass(milliseconds(1100)); }
  long told(std::string_view text) {
    return std::ranges::count_if(world.log.lines,
                                 [&](const std::string& line) { return line.contains(text); });
  }

  PlayedMember played;
  CheckedWorld world{0, {}};
};

TEST_F(Sharing, is_asked_once_an_interval_and_takes_all_down_and_brings_them_back_together) {
  use({{"a"}, {"b"}, {"c", {}, 1}});
  EXPECT_EQ(world.prober.target_count(), 1U);
  for (int i = 1; i <= 5; ++i) {
    one_check();
    EXPECT_EQ(played.connections, i);
  }
  answer("503");
  one_check();
  EXPECT_EQ(statuses("abc"), "CCC");
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(told("DISABLING http://m1 of balancer://" + std::string(name) + ": status 503"), 1);
    EXPECT_EQ(view(name).checks.last->evidence.text, "status 503");
    EXPECT_EQ(view(name).checks.next_due, view("a").checks.last->ended + seconds(1));
    EXPECT_EQ(view(name).member->health_log().totals().checks_failed, 1U);
  }
  EXPECT_EQ(told("AH03251"), 6) << "one line for a check";
  answer("200");
  one_check();
  EXPECT_EQ(statuses("abc"), "---");
  EXPECT_EQ(told("ENABLING http://m1 of balancer://"), 3);
  EXPECT_EQ(played.connections, 7);
}

TEST_F(Sharing, is_for_those_who_say_so) {
  use({{"a"}, {"b"}, {"c"}}, {});
  EXPECT_EQ(world.prober.target_count(), 3U);
  one_check();
  EXPECT_EQ(played.connections, 3);
  use({{"a"}, {"b"}, {"c", {"hcshare=Off"}}});
  EXPECT_EQ(world.prober.target_count(), 2U);
  one_check();
  EXPECT_EQ(played.connections, 5);
}

TEST_F(Sharing, is_for_those_who_ask_the_same) {
  use({{"a"}, {"b", {"hcuri=/?other"}}, {"c"}});
  EXPECT_EQ(world.prober.target_count(), 2U);
  one_check();
  EXPECT_EQ(played.connections, 2);
  EXPECT_THAT(played.heard, HasSubstr("GET /?other "));
}

TEST_F(Sharing, counts_failures_and_passes_once) {
  use({{"a"}, {"b"}}, {"hcshare=On", "hcfails=3", "hcpasses=2"});
  answer("503");
  one_check();
  one_check();
  EXPECT_EQ(statuses("ab"), "--");
  EXPECT_EQ(view("a").check_counts, (balance::CheckCounts{.passed = 0, .failed = 2}));
  EXPECT_EQ(view("b").check_counts, view("a").check_counts);
  one_check();
  EXPECT_EQ(statuses("ab"), "CC");
  answer("200");
  one_check();
  EXPECT_EQ(statuses("ab"), "CC");
  one_check();
  EXPECT_EQ(statuses("ab"), "--");
}

TEST_F(Sharing, never_asks_twice_at_once_whoever_comes_and_goes) {
  use({{"a"}, {"b"}});
  hang();
  one_check();
  ASSERT_EQ(played.connections, 1);
  use({{"x"}, {"b"}, {"c"}});
  world.pass(seconds(2));
  EXPECT_EQ(played.connections, 1);
  EXPECT_EQ(world.prober.checks_under_way(), 1U);
  release("503");
  EXPECT_EQ(statuses("xbc"), "CCC") << "who asked is gone, who heard is not";
  EXPECT_EQ(world.prober.checks_under_way(), 0U);
}

TEST_F(Sharing, leaves_errors_by_traffic_to_their_balancer) {
  use({{"a"}, {"b"}}, {"hcshare=On", "hcpasses=2", "hcfails=2"});
  fail_request("a");
  EXPECT_EQ(statuses("ab"), "E-");
  one_check();
  world.prober.adopt(world.generation);
  EXPECT_EQ(statuses("ab"), "E-") << "no check is counted twice";
  one_check();
  EXPECT_EQ(statuses("ab"), "--") << "two passes end it, as without sharing";
  fail_request("b");
  answer("503");
  one_check();
  one_check();
  EXPECT_EQ(statuses("ab"), "CC") << "failures count, whoever is in error meanwhile";
  answer("200");
  one_check();
  one_check();
  EXPECT_EQ(statuses("ab"), "--");
}

TEST_F(Sharing, a_wish_stays_its_operators) {
  use({{"a"}, {"b"}});
  balancer("a").change_status(view("a").member, Flag::disabled | Flag::ignore_errors, {});
  answer("503");
  one_check();
  EXPECT_TRUE(view("a").status.has(Flag::disabled));
  EXPECT_FALSE(view("b").status.has(Flag::disabled));
  EXPECT_EQ(statuses("ab"), "CC") << "httpd: I is about traffic";
  // C of one member is taken away until a check says otherwise, or set until one passes.
  balancer("a").change_status(view("a").member, {}, Flag::health_failed);
  EXPECT_EQ(statuses("ab"), "-C");
  one_check();
  EXPECT_EQ(statuses("ab"), "CC");
  answer("200");
  one_check();
  balancer("b").change_status(view("b").member, Flag::health_failed, {});
  EXPECT_EQ(statuses("ab"), "-C");
  one_check();
  EXPECT_EQ(statuses("ab"), "--");
  EXPECT_TRUE(view("a").status.has(Flag::disabled));
}

TEST_F(Sharing, goes_on_while_anybody_is_not_stopped) {
  use({{"a"}, {"b"}});
  balancer("a").change_status(view("a").member, Flag::stopped, {});
  answer("503");
  one_check();
  EXPECT_EQ(played.connections, 1);
  EXPECT_EQ(statuses("ab"), "CC") << "who is started again knows at once";
  balancer("b").change_status(view("b").member, Flag::stopped, {});
  world.pass(seconds(5));
  EXPECT_EQ(played.connections, 1);
  balancer("a").change_status(view("a").member, {}, Flag::stopped);
  world.pass(milliseconds(200));
  EXPECT_EQ(played.connections, 2) << "it was due all the time";
}

TEST_F(Sharing, goes_on_while_one_of_them_drains) {
  use({{"a"}, {"b"}});
  ASSERT_TRUE(balance::Drains(balancer("a")).order(view("a").member, {}, world.loop.now()));
  answer("503");
  one_check();
  EXPECT_EQ(played.connections, 1);
  EXPECT_EQ(statuses("ab"), "CC");
}

TEST_F(Sharing, a_newcomer_has_what_was_found_at_once) {
  use({{"a"}, {"b"}});
  answer("503");
  one_check();
  use({{"a"}, {"b"}, {"c"}, {"d", {"hcuri=/other"}}});
  EXPECT_EQ(statuses("abcd"), "CCC-");
  EXPECT_EQ(told("DISABLING http://m1 of balancer://c: status 503"), 1);
  EXPECT_FALSE(view("c").checks.last) << "it was none of its checks";
  EXPECT_EQ(view("c").checks.next_due, view("a").checks.next_due);
  EXPECT_EQ(played.connections, 1);
  answer("200");
  one_check();
  EXPECT_EQ(statuses("abcd"), "----");
}

// The last check says little by itself: the group has to pass more of them, or may fail more.
TEST_F(Sharing, a_newcomer_has_what_all_are_and_not_what_the_last_check_said) {
  const Words patient{"hcshare=On", "hcpasses=4", "hcfails=3"};
  use({{"a"}, {"b"}}, patient);
  answer("503");
  for (int i = 0; i < 3; ++i) one_check();
  answer("200");
  one_check();
  use({{"a"}, {"b"}, {"c"}}, patient);
  EXPECT_EQ(statuses("abc"), "CCC");
  for (int i = 0; i < 3; ++i) one_check();
  EXPECT_EQ(statuses("abc"), "---");
  answer("503");
  one_check();
  use({{"a"}, {"b"}, {"c"}, {"d", {"hcuri=/other"}}}, patient);
  balancer("d").change_status(view("d").member, Flag::health_failed, {});
  use({{"a"}, {"b"}, {"c"}, {"d"}}, patient);
  EXPECT_EQ(statuses("abcd"), "----");
}

TEST_F(Sharing, a_newcomer_that_was_down_by_another_question_comes_up) {
  use({{"a"}, {"b", {"hchost=other"}}});
  balancer("b").change_status(view("b").member, Flag::health_failed, {});
  one_check();
  balancer("b").change_status(view("b").member, Flag::health_failed, {});
  EXPECT_EQ(statuses("ab"), "-C");
  use({{"a"}, {"b"}});
  EXPECT_EQ(statuses("ab"), "--");
}

TEST_F(Sharing, is_kept_when_the_first_of_them_goes) {
  use({{"a"}, {"b"}, {"c"}}, {"hcshare=On", "hcfails=2"});
  answer("503");
  one_check();
  world.pass(milliseconds(500));
  use({{"b"}, {"c"}}, {"hcshare=On", "hcfails=2"});
  world.pass(milliseconds(600));
  EXPECT_EQ(played.connections, 2) << "due when it was";
  EXPECT_EQ(statuses("bc"), "CC") << "the first failure counts";
}

TEST_F(Sharing, a_reload_that_changes_one_leaves_the_others_theirs) {
  use({{"a"}, {"b"}, {"c"}}, {"hcshare=On", "hcfails=2"});
  answer("503");
  one_check();
  hang();
  one_check();
  ASSERT_EQ(world.prober.checks_under_way(), 1U);
  use({{"a", {"hcuri=/?a"}}, {"b"}, {"c"}}, {"hcshare=On", "hcfails=2"});
  EXPECT_EQ(world.prober.target_count(), 2U);
  EXPECT_EQ(world.prober.checks_under_way(), 1U) << "theirs goes on";
  release("503");
  EXPECT_EQ(statuses("abc"), "-CC") << "and says nothing about the one that changed";
  EXPECT_EQ(view("a").check_counts.failed, 1) << "as a reload keeps it without sharing";
  one_check();
  EXPECT_EQ(statuses("abc"), "CCC");
}

TEST_F(Sharing, a_reload_that_changes_all_keeps_what_was_found_and_when) {
  use({{"a"}, {"b"}});
  answer("503");
  one_check();
  world.pass(milliseconds(500));
  use({{"a"}, {"b"}}, {"hcshare=On", "hcuri=/?new"});
  EXPECT_EQ(statuses("ab"), "CC");
  world.pass(milliseconds(600));
  EXPECT_EQ(played.connections, 2) << "due when it was";
  EXPECT_THAT(played.heard, HasSubstr("GET /?new "));
}

TEST_F(Sharing, a_check_that_nobody_wants_any_more_ends_without_a_verdict) {
  use({{"a"}, {"b"}});
  hang();
  one_check();
  use({{"a"}, {"b"}}, {"hcshare=On", "hcuri=/?new"});
  EXPECT_EQ(world.prober.checks_under_way(), 0U);
  EXPECT_TRUE(played.open.at(0)->ended());
  // And who comes with the new question hears nothing of the old one.
  release("200");
  answer("503");
  one_check();
  use({{"a"}, {"b"}, {"c"}}, {"hcshare=On", "hcuri=/?newer"});
  EXPECT_EQ(statuses("abc"), "CC-");
}

TEST_F(Sharing, turned_on_takes_over_what_one_knew_and_turned_off_leaves_it_to_each) {
  use({{"a"}, {"b"}}, {"hcfails=3"});
  answer("503");
  one_check();
  one_check();
  ASSERT_EQ(view("b").check_counts.failed, 2);
  use({{"a"}, {"b"}, {"c"}}, {"hcfails=3", "hcshare=On"});
  EXPECT_EQ(view("c").check_counts.failed, 2);
  world.pass(milliseconds(500));
  use({{"a"}, {"b"}, {"c"}}, {"hcfails=3"});
  world.pass(milliseconds(600));
  EXPECT_EQ(played.connections, 7) << "each was due when the one was";
  EXPECT_EQ(statuses("abc"), "CCC");
  use({{"a"}, {"b"}, {"c"}, {"d"}}, {"hcfails=3", "hcshare=On"});
  EXPECT_EQ(statuses("abcd"), "CCCC");
  answer("200");
  one_check();
  EXPECT_EQ(statuses("abcd"), "----");
  EXPECT_EQ(played.connections, 8);
}

TEST_F(Sharing, turned_on_for_members_that_disagree_believes_the_later_check) {
  struct Row {
    std::string_view earlier, later, statuses, agreed;
  };
  for (const Row& row : {Row{"503", "200", "C-", "--"}, Row{"200", "503", "-C", "CC"}}) {
    use({});
    use({{"a"}, {"b"}}, {});
    hang();
    one_check();
    ASSERT_EQ(played.open.size(), 2U);
    for (const std::string_view status : {row.earlier, row.later}) {
      played.open.front()->say("HTTP/1.0 " + std::string(status) + " X\r\n\r\n");
      played.open.erase(played.open.begin());
      world.pass(milliseconds(100));
    }
    ASSERT_EQ(statuses("ab"), row.statuses);
    use({{"a"}, {"b"}});
    EXPECT_EQ(statuses("ab"), row.agreed);
  }
}

TEST_F(Sharing, turned_on_takes_over_from_who_asked_the_same_before) {
  use({{"a", {"hchost=other"}}, {"b"}}, {});
  hang();
  one_check();
  ASSERT_EQ(played.open.size(), 2U);
  for (const std::string_view status : {"503", "200"}) {
    played.open.back()->say("HTTP/1.0 " + std::string(status) + " X\r\n\r\n");
    played.open.pop_back();
    world.pass(milliseconds(100));
  }
  ASSERT_EQ(statuses("ab"), "-C") << "the first was checked later, by another question";
  use({{"a"}, {"b"}});
  EXPECT_EQ(statuses("ab"), "CC");
}

TEST_F(Sharing, begins_as_down_only_if_all_of_them_are) {
  use({{"a", {"status=C"}}, {"b"}}, {"hcshare=On", "hcfails=2"});
  answer("503");
  one_check();
  EXPECT_EQ(statuses("ab"), "C-");
  one_check();
  EXPECT_EQ(statuses("ab"), "CC");
}

TEST_F(Sharing, turned_off_has_each_count_as_in_httpd) {
  use({{"a"}, {"b"}});
  one_check();
  use({{"a"}, {"b"}}, {});
  fail_request("a");
  answer("503");
  one_check();
  EXPECT_EQ(statuses("ab"), "EC");
}

TEST_F(Sharing, goes_on_without_the_one_that_stops_sharing) {
  use({{"a"}, {"b"}, {"c"}});
  hang();
  one_check();
  use({{"a", {"hcshare=Off"}}, {"b"}, {"c"}});
  EXPECT_EQ(world.prober.checks_under_way(), 1U);
  release("503");
  EXPECT_EQ(statuses("abc"), "-CC");
}

TEST_F(Sharing, is_found_and_left_when_an_operator_changes_a_member) {
  use({{"a"}, {"b", {"hcuri=/other"}}});
  change("b", "hcuri", "/h");
  EXPECT_EQ(world.prober.target_count(), 1U);
  answer("503");
  one_check();
  EXPECT_EQ(played.connections, 1);
  EXPECT_EQ(statuses("ab"), "CC");
  change("b", "hcshare", "Off");
  EXPECT_EQ(world.prober.target_count(), 2U);
  one_check();
  EXPECT_EQ(played.connections, 3);
  change("b", "hcmethod", "NONE");
  EXPECT_EQ(world.prober.target_count(), 1U);
}

TEST_F(Sharing, is_joined_by_a_member_that_an_operator_adds) {
  use({{"a"}, {"b"}});
  answer("503");
  one_check();
  balance::ChangeOrder order;
  order.removed = {"http://m1"};
  ASSERT_TRUE(balance::Edits(balancer("a")).change(order, world.loop.now()));
  world.prober.adopt(world.generation);
  answer("200");
  one_check();
  EXPECT_EQ(played.connections, 2);
  EXPECT_EQ(statuses("b"), "-") << "who is left is checked";
  answer("503");
  one_check();
  order = {.added = {"http://m1"}, .added_max = 5};
  for (const auto& [field, value] :
       {std::pair{"hcmethod", "GET"}, {"hcuri", "/h"}, {"hcinterval", "1s"}, {"hcshare", "On"}})
    order.fields.push_back({"http://m1", field, value});
  ASSERT_TRUE(balance::Edits(balancer("a")).change(order, world.loop.now()));
  world.prober.adopt(world.generation);
  EXPECT_EQ(world.prober.target_count(), 1U);
  EXPECT_EQ(statuses("ab"), "CC");
}

TEST_F(Sharing, follows_what_names_lead_to) {
  use({{"a", {"resolve=each"}}, {"b", {"resolve=each"}}});
  EXPECT_EQ(world.prober.target_count(), 0U);
  const auto lead = [&](std::string_view name, std::initializer_list<std::string_view> to) {
    balance::NameAnswer answer;
    for (const std::string_view text : to) answer.addresses.push_back(*IpAddress::parse(text));
    balancer(name).take_answer(balance::NameMeaning::addresses, "m1", answer, world.loop.now());
    world.prober.adopt(world.generation);
  };
  lead("a", {"10.0.0.1", "10.0.0.2"});
  lead("b", {"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(world.prober.target_count(), 2U) << "two addresses are two questions";
  answer("503");
  one_check();
  EXPECT_EQ(played.connections, 2);
  lead("b", {"10.0.0.2", "10.0.0.3"});
  EXPECT_EQ(world.prober.target_count(), 3U);
  lead("a", {"10.0.0.2", "10.0.0.3"});
  EXPECT_EQ(world.prober.target_count(), 2U);
  EXPECT_TRUE(balancer("a").members().at(0).status.has(Flag::health_failed));
  EXPECT_FALSE(balancer("a").members().at(1).status.has(Flag::health_failed));
  EXPECT_EQ(balancer("b").members().at(0).status, balancer("a").members().at(0).status);
}

TEST_F(Sharing, hurries_while_anybody_is_down) {
  use({{"a"}, {"b"}}, {"hcshare=On", "hcinterval=10", "hcdowninterval=500ms"});
  fail_request("b");
  world.pass(milliseconds(700));
  EXPECT_EQ(played.connections, 1);
  EXPECT_EQ(statuses("ab"), "--");
  world.pass(seconds(9));
  EXPECT_EQ(played.connections, 1);
}

TEST_F(Sharing, says_nothing_of_anybody_without_descriptors) {
  use({{"a"}, {"b"}});
  world.dialer.has_descriptors(false);
  one_check();
  EXPECT_EQ(statuses("ab"), "--");
  EXPECT_FALSE(view("b").checks.last);
  EXPECT_EQ(view("b").checks.next_due, world.loop.now() + seconds(1));
}

TEST_F(Sharing, holds_no_earlier_generation) {
  use({{"a"}, {"b"}});
  one_check();
  const std::weak_ptr<const proxy::Generation> earlier = world.generation;
  use({{"b"}, {"c"}});
  world.pass(milliseconds(200));
  EXPECT_TRUE(earlier.expired());
}

}  // namespace
}  // namespace steelyard::health
