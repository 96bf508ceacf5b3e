// random, tworandom and leasttime: chances, load, and everything that limits who may be picked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view drawing[] = {"random", "tworandom", "leasttime"};
constexpr std::string_view by_table[] = {"random", "tworandom", "leasttime", "hash", "maglev"};

std::string method(std::string_view policy) { return "lbmethod=" + std::string(policy); }

// Each exchange ends before the next begins; each has a key of its own.
std::map<std::string, int> count_picks(Group& group, int requests) {
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i) {
    ++counts[Group::name_of(group.choose_for("key" + std::to_string(i)))];
  }
  return counts;
}

TEST(Drawing, shares_equal_load_factors) {
  for (const std::string_view policy : drawing) {
    Group group("a b*2 c*3.5 d*10", method(policy));
    constexpr int requests = 400'000;
    const auto counts = count_picks(group, requests);
    const std::map<std::string, double> factors{{"a", 1}, {"b", 2}, {"c", 3.5}, {"d", 10}};
    for (const auto& [name, factor] : factors) {
      const double expected = requests * factor / 16.5;
      EXPECT_NEAR(counts.at(name), expected, 5 * std::sqrt(expected)) << policy << ' ' << name;
    }
  }
}

TEST(Drawing, the_same_numbers_give_the_same_picks) {
  for (const std::string_view policy : by_table) {
    Group one("a b*2 c*3", method(policy));
    Group two("a b*2 c*3", method(policy));
    EXPECT_EQ(one.picks(100), two.picks(100)) << policy;
  }
}

TEST(Drawing, members_that_cannot_be_picked_leave_the_chances_of_others_alone) {
  for (const std::string_view policy : drawing) {
    Group group("a b,D c*2 d,N e,S f,H g@1", method(policy));
    constexpr int requests = 90'000;
    const auto counts = count_picks(group, requests);
    EXPECT_EQ(counts.size(), 2U) << policy;
    EXPECT_NEAR(counts.at("a"), requests / 3.0, 5 * std::sqrt(requests / 3.0)) << policy;
  }
}

// Nearly every draw misses, so the candidates are gone through.
TEST(Drawing, the_last_few_of_many_still_have_their_chances) {
  for (const std::string_view policy : drawing) {
    auto spec = group_spec("a b*3", method(policy));
    for (int i = 0; i < 500; ++i)
      spec->members.push_back(member_of("x" + std::to_string(i) + ",D"));
    Group group(spec);
    constexpr int requests = 40'000;
    const auto counts = count_picks(group, requests);
    EXPECT_EQ(counts.size(), 2U) << policy;
    EXPECT_NEAR(counts.at("a"), requests / 4.0, 5 * std::sqrt(requests / 4.0)) << policy;
  }
}

TEST(PolicyByTable, honours_sets_standbys_and_spares) {
  for (const std::string_view policy : by_table) {
    Group group("a b s,R h,H z@1", method(policy));
    EXPECT_EQ(count_picks(group, 500).size(), 2U) << policy;
    group.change("a", Flag::stopped);
    const auto with_spare = count_picks(group, 500);
    EXPECT_EQ(with_spare.size(), 2U) << policy;
    EXPECT_TRUE(with_spare.contains("s") && with_spare.contains("b")) << policy;
    group.change("b", Flag::stopped);
    group.change("s", Flag::stopped);
    EXPECT_EQ(count_picks(group, 50), (std::map<std::string, int>{{"h", 50}})) << policy;
    group.change("h", Flag::stopped);
    EXPECT_EQ(count_picks(group, 50), (std::map<std::string, int>{{"z", 50}})) << policy;
    group.change("z", Flag::stopped);
    EXPECT_FALSE(group.choose().lease) << policy;
  }
}

TEST(PolicyByTable, a_session_finds_its_member_and_failover_the_others) {
  for (const std::string_view policy : by_table) {
    Group group("a=r1 b=r2 c=r3", "stickysession=sid " + method(policy));
    EXPECT_EQ(group.picks(20, "r2"), std::string(20, 'b')) << policy;
    const std::string tried = group.request("b", "r2");
    EXPECT_THAT(tried, ::testing::AnyOf("ba", "bc")) << policy;
  }
}

TEST(PolicyByTable, a_member_at_its_limit_is_passed_over_while_another_has_room) {
  for (const std::string_view policy : by_table) {
    auto spec = group_spec("a b c*9", method(policy) + " hashbound=Off");
    if (!traits_of(spec->effective_policy()).by_key()) {
      spec = group_spec("a b c*9", method(policy));
    }
    for (MemberSpec& member : spec->members) member.pool.connections_max = 5;
    Group group(spec);
    std::vector<Lease> held;
    std::map<std::string, int> busy;
    for (int i = 0; i < 15; ++i) {
      Decision decision = group.choose_for("k" + std::to_string(i));
      ++busy[Group::name_of(decision)];
      held.push_back(std::move(decision.lease));
    }
    EXPECT_EQ(busy, (std::map<std::string, int>{{"a", 5}, {"b", 5}, {"c", 5}})) << policy;
    // All are full: somebody's connections are waited for, as with httpd's policies.
    EXPECT_TRUE(group.choose().lease) << policy;
  }
}

TEST(PolicyByTable, credits_are_left_alone) {
  for (const std::string_view policy : by_table) {
    Group group("a b c", method(policy));
    group.picks(10);
    EXPECT_THAT(group.credits(), ElementsAre(0, 0, 0)) << policy;
  }
}

TEST(PolicyByTable, a_reload_to_other_members_is_followed) {
  for (const std::string_view policy : by_table) {
    Group group("a b", method(policy));
    group.picks(10);
    group.balancer.adopt(group_spec("c d*2 a@1", method(policy)));
    const auto counts = count_picks(group, 300);
    EXPECT_EQ(counts.size(), 2U) << policy;
    EXPECT_TRUE(counts.contains("c") && counts.contains("d")) << policy;
    group.balancer.adopt(group_spec("a", "lbmethod=byrequests"));
    EXPECT_EQ(group.picks(2), "aa") << policy;
  }
}

TEST(PolicyByTable, an_explanation_names_the_chosen) {
  for (const std::string_view policy : by_table) {
    Group group("a b c,D", method(policy));
    Explanation explanation;
    const Decision decision = group.balancer.choose(
        {.session = {}, .now = group.now, .explanation = &explanation, .random = 5, .key = "k"});
    int chosen = 0;
    for (const Candidate& candidate : explanation.candidates) {
      if (candidate.verdict != Verdict::chosen) continue;
      ++chosen;
      EXPECT_EQ(candidate.name, Group::name_of(decision)) << policy;
    }
    EXPECT_EQ(chosen, 1) << policy;
  }
}

// With two members both are drawn, so the less busy for its factor always wins.
TEST(TwoRandom, the_less_busy_for_its_factor_wins) {
  Group group("a b*3", "lbmethod=tworandom");
  std::vector<Lease> held;
  std::map<std::string, int> busy;
  for (int i = 0; i < 400; ++i) {
    Decision decision = group.choose();
    ++busy[Group::name_of(decision)];
    held.push_back(std::move(decision.lease));
    // Never further apart than one exchange allows.
    EXPECT_LE(std::abs(busy["a"] * 3 - busy["b"]), 3);
  }
  EXPECT_NEAR(busy["a"], 100, 1);
}

void answer_in(Group& group, const Decision& decision, milliseconds took) {
  group.balancer.observe_latency(decision.lease, took, group.now);
}

TEST(LeastTime, a_member_that_was_never_measured_is_asked_once_and_then_not_before_it_answered) {
  Group group("a b", "lbmethod=leasttime");
  Decision first = group.choose();
  Decision second = group.choose();
  EXPECT_NE(Group::name_of(first), Group::name_of(second));
  answer_in(group, first, milliseconds(500));
  // The other one has not answered: the slow but known member gets all.
  std::vector<Decision> more;
  for (int i = 0; i < 5; ++i) {
    more.push_back(group.choose());
    EXPECT_EQ(Group::name_of(more.back()), Group::name_of(first));
  }
}

TEST(LeastTime, the_quicker_of_two_wins_until_it_is_so_busy_that_it_takes_as_long) {
  Group group("a b", "lbmethod=leasttime");
  for (int i = 0; i < 20; ++i) {
    const Decision decision = group.choose();
    answer_in(group, decision, milliseconds(Group::name_of(decision) == "a" ? 10 : 40));
  }
  EXPECT_EQ(group.picks(5), "aaaaa");
  std::vector<Decision> held;
  std::string names;
  for (int i = 0; i < 6; ++i) {
    held.push_back(group.choose());
    names += Group::name_of(held.back());
  }
  // 10, 20, 30 ms; the fourth would be 40 as well; then b has one and would take 80.
  EXPECT_EQ(names.substr(0, 3), "aaa");
  EXPECT_EQ(std::ranges::count(names, 'b'), 1);
}

TEST(LeastTime, the_load_factor_says_how_many_exchanges_at_once_cost_nothing) {
  Group group("a*10 b", "lbmethod=leasttime");
  for (int i = 0; i < 20; ++i) answer_in(group, group.choose(), milliseconds(10));
  std::vector<Decision> held;
  int of_b = 0;
  for (int i = 0; i < 110; ++i) {
    held.push_back(group.choose());
    of_b += Group::name_of(held.back()) == "b" ? 1 : 0;
  }
  EXPECT_NEAR(of_b, 10, 2);
}

TEST(LeastTime, is_the_only_policy_that_is_told_of_latency) {
  Group group("a", "lbmethod=byrequests");
  const Decision decision = group.choose();
  group.balancer.observe_latency(decision.lease, milliseconds(3), group.now);
  EXPECT_FALSE(decision.lease.member().expected_latency(group.now));
}

}  // namespace
}  // namespace steelyard::balance
