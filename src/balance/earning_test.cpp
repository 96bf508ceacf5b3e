#include "balance/earning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

TEST(Earning, every_credit_grows_by_its_factor_and_the_largest_is_told) {
  Random random(1);
  for (std::size_t count = 1; count <= 2 * earning_block; ++count) {
    std::vector<std::int64_t> credits;
    std::vector<std::int64_t> factors;
    std::vector<std::int64_t> expected;
    for (std::size_t i = 0; i < count; ++i) {
      credits.push_back(static_cast<std::int64_t>(random.next() >> 20) - (std::int64_t{1} << 43));
      factors.push_back(static_cast<std::int64_t>(random.next() % 10'000));
      expected.push_back(credits[i] + factors[i]);
    }
    EXPECT_EQ(earn(credits.data(), factors.data(), count), *std::ranges::max_element(expected));
    EXPECT_EQ(credits, expected);
  }
}

struct SlowMember {
  std::int64_t credit = 0;
  std::int64_t factor = 0;
  int busy = 0;
};

// The rule as httpd writes it down: all in order, a better one replaces the best.
std::size_t pick_slowly(std::vector<SlowMember>& members, bool by_busyness) {
  std::int64_t quota = 0;
  std::size_t best = members.size();
  for (std::size_t at = 0; at < members.size(); ++at) {
    members[at].credit += members[at].factor;
    quota += members[at].factor;
    if (best == members.size()) {
      best = at;
    } else if (by_busyness && members[at].busy != members[best].busy) {
      if (members[at].busy < members[best].busy) best = at;
    } else if (members[at].credit > members[best].credit) {
      best = at;
    }
  }
  members[best].credit -= quota;
  return best;
}

struct Crowd {
  int members;
  int picks;
  int phase;  // so many picks with hardly anybody busy, then as many in which leases pile up
};

void expect_picks_of_the_plain_rule(const Crowd& crowd, bool by_busyness) {
  Random random(2);
  auto spec = group_spec("", by_busyness ? "lbmethod=bybusyness" : "lbmethod=byrequests");
  std::vector<SlowMember> slow;
  for (int i = 0; i < crowd.members; ++i) {
    const int factor = 100 * static_cast<int>(1 + random.next() % 3);
    spec->members.push_back(member_of("m" + std::to_string(i)));
    spec->members.back().load_factor = factor;
    slow.push_back({.factor = factor});
  }
  Group group(spec);
  std::vector<std::pair<std::size_t, Decision>> held;
  const auto many = static_cast<std::size_t>(2 * crowd.members);
  for (int i = 0; i < crowd.picks; ++i) {
    const std::size_t expected = pick_slowly(slow, by_busyness);
    Decision decision = group.choose();
    ASSERT_EQ(Group::name_of(decision), "m" + std::to_string(expected)) << i;
    ++slow[expected].busy;
    held.emplace_back(expected, std::move(decision));
    const std::size_t most = i % (2 * crowd.phase) < crowd.phase ? 5 : many;
    while (held.size() > most) {
      const std::size_t which = random.next() % held.size();
      --slow[held[which].first].busy;
      held[which] = std::move(held.back());
      held.pop_back();
    }
  }
}

// More members than a block has, many of them equal, so that order decides.
TEST(Earning, among_hundreds_and_thousands_of_members_picks_are_those_of_the_plain_rule) {
  for (const bool by_busyness : {false, true}) {
    expect_picks_of_the_plain_rule({.members = 700, .picks = 5000, .phase = 1000}, by_busyness);
    // Up to more leases than members.
    expect_picks_of_the_plain_rule({.members = 10'000, .picks = 22'000, .phase = 11'000},
                                   by_busyness);
  }
}

}  // namespace
}  // namespace steelyard::balance
