// hash and maglev: keys stay where they are, and no member takes more than its bound.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

constexpr int key_count = 20'000;
constexpr std::string_view by_key[] = {"hash", "maglev"};

std::string method(std::string_view policy) { return "lbmethod=" + std::string(policy); }

std::string members_named(int count) {
  std::string names;
  for (int i = 0; i < count; ++i) names += "m" + std::to_string(i) + ' ';
  return names;
}

std::string owner_of(Group& group, int key) {
  return Group::name_of(group.choose_for("client-" + std::to_string(key)));
}

std::vector<std::string> owners(Group& group) {
  std::vector<std::string> all;
  all.reserve(key_count);
  for (int key = 0; key < key_count; ++key) all.push_back(owner_of(group, key));
  return all;
}

// Keys that moved although their member can be picked as before.
int needless_moves(const std::vector<std::string>& before, const std::vector<std::string>& after,
                   std::string_view gone) {
  int moves = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    moves += before[i] != gone && after[i] != before[i] ? 1 : 0;
  }
  return moves;
}

TEST(ByKey, a_key_finds_the_same_member_again) {
  for (const std::string_view policy : by_key) {
    Group group(members_named(10), method(policy));
    EXPECT_EQ(owners(group), owners(group)) << policy;
  }
}

TEST(ByKey, another_balancer_of_the_same_members_in_another_order_decides_alike) {
  Group one("a b c d e", "lbmethod=hash");
  Group two("e c a d b", "lbmethod=hash");
  EXPECT_EQ(owners(one), owners(two));
}

TEST(ByKey, a_member_that_fails_moves_its_own_keys_only_and_gets_them_all_back) {
  for (const std::string_view policy : by_key) {
    Group group(members_named(10), method(policy));
    const auto before = owners(group);
    group.change("m3", Flag::stopped);
    const auto without = owners(group);
    EXPECT_EQ(needless_moves(before, without, "m3"), 0) << policy;
    std::map<std::string, int> heirs;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == "m3") ++heirs[without[i]];
    }
    // Its keys are shared out, not dumped on a neighbour.
    EXPECT_EQ(heirs.size(), 9U) << policy;
    group.change("m3", {}, Flag::stopped);
    EXPECT_EQ(owners(group), before) << policy;
  }
}

// Owners are so rare that the tables are given up and all candidates are compared.
TEST(ByKey, that_holds_when_nearly_all_members_are_gone_too) {
  for (const std::string_view policy : by_key) {
    Group group(members_named(400), method(policy));
    for (int i = 4; i < 400; ++i) group.change("m" + std::to_string(i), Flag::stopped);
    const auto before = owners(group);
    std::map<std::string, int> shares;
    for (const std::string& owner : before) ++shares[owner];
    EXPECT_EQ(shares.size(), 4U) << policy;
    for (const auto& [name, keys] : shares) {
      EXPECT_NEAR(keys, key_count / 4.0, key_count / 4.0 * 0.25) << policy << ' ' << name;
    }
    group.change("m1", Flag::stopped);
    EXPECT_EQ(needless_moves(before, owners(group), "m1"), 0) << policy;
  }
}

TEST(ByKey, a_member_that_leaves_the_configuration_moves_its_own_keys_only) {
  Group group("a b c d e f", "lbmethod=hash");
  const auto before = owners(group);
  group.balancer.adopt(group_spec("a b c e f", "lbmethod=hash"));
  EXPECT_EQ(needless_moves(before, owners(group), "d"), 0);
}

TEST(ByKey, maglev_moves_few_keys_without_need_when_a_member_leaves_the_configuration) {
  Group group("a b c d e f", "lbmethod=maglev");
  const auto before = owners(group);
  group.balancer.adopt(group_spec("a b c e f", "lbmethod=maglev"));
  EXPECT_LT(needless_moves(before, owners(group), "d"), key_count * 5 / 100);
}

TEST(ByKey, maglev_gives_members_keys_by_their_factors) {
  Group group("a b*2 c*5", "lbmethod=maglev");
  std::map<std::string, double> keys;
  for (const std::string& owner : owners(group)) keys[owner] += 1;
  const std::map<std::string, double> factors{{"a", 1}, {"b", 2}, {"c", 5}};
  for (const auto& [name, factor] : factors) {
    const double expected = key_count * factor / 8;
    EXPECT_NEAR(keys[name], expected, 5 * std::sqrt(expected) + expected * 0.01) << name;
  }
}

TEST(ByKey, a_request_without_a_key_goes_to_the_less_busy_of_two) {
  for (const std::string_view policy : by_key) {
    Group group("a b", method(policy));
    std::vector<Decision> held;
    std::map<std::string, int> busy;
    for (int i = 0; i < 100; ++i) {
      held.push_back(group.choose_for(""));
      ++busy[Group::name_of(held.back())];
    }
    EXPECT_EQ(busy["a"], 50) << policy;
  }
}

struct BoundCase {
  std::string_view parameters;
  double bound;
};

class Bound : public ::testing::TestWithParam<BoundCase> {};

// Exchanges come and go, half of them with one and the same key.
TEST_P(Bound, is_never_exceeded_and_keys_stay_while_it_is_not_reached) {
  const auto [parameters, bound] = GetParam();
  Group group("a b*2 c d*4 e*3", parameters);
  const std::map<std::string, double> factors{{"a", 1}, {"b", 2}, {"c", 1}, {"d", 4}, {"e", 3}};
  Random random(9);
  std::vector<Decision> held;
  std::map<std::string, int> busy;
  for (int i = 0; i < 20'000; ++i) {
    const bool begins = held.empty() || random.next() % 100 < (i < 10'000 ? 52U : 48U);
    if (!begins) {
      const std::size_t which = random.next() % held.size();
      --busy[Group::name_of(held[which])];
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    const bool popular = random.next() % 2 == 0;
    const std::string key = popular ? "popular" : std::to_string(random.next() % 1000);
    held.push_back(group.choose_for(key));
    const std::string name = Group::name_of(held.back());
    const double allowed =
        std::ceil(bound * static_cast<double>(held.size()) * factors.at(name) / 11 - 1e-9);
    ASSERT_LE(++busy[name], allowed) << i;
  }
  held.clear();
  for (const MemberView& view : group.balancer.members()) EXPECT_EQ(view.busy, 0);
}

INSTANTIATE_TEST_SUITE_P(ByKey, Bound,
                         ::testing::Values(BoundCase{"lbmethod=hash", 1.25},
                                           BoundCase{"lbmethod=hash hashbound=100", 1},
                                           BoundCase{"lbmethod=hash hashbound=300", 3},
                                           BoundCase{"lbmethod=maglev hashbound=110", 1.1}));

TEST(ByKey, without_a_bound_one_key_has_one_member_however_busy) {
  Group group("a b c", "lbmethod=hash hashbound=Off");
  std::vector<Decision> held;
  std::map<std::string, int> busy;
  for (int i = 0; i < 100; ++i) {
    held.push_back(group.choose_for("k"));
    ++busy[Group::name_of(held.back())];
  }
  EXPECT_EQ(busy.size(), 1U);
}

}  // namespace
}  // namespace steelyard::balance
