// Who gets how much, and what limits it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "world.hpp"

namespace steelyard::sim {
namespace {

constexpr std::size_t members = 8;

// Chance alone stays within so many standard deviations, but for one time in a million.
constexpr double deviations = 5;

// Of a part `part` of `count` requests, relative to it, when each is drawn by itself.
double deviation_of_draws(double part, double count) {
  return std::sqrt((1 - part) / (part * count));
}

double sum_of(const std::vector<int>& factors) {
  return std::accumulate(factors.begin(), factors.end(), 0.0);
}

// Members that can do as much as their factors say.
std::vector<MemberModel> models_for(const std::vector<int>& factors, int places) {
  std::vector<MemberModel> models;
  for (const int factor : factors) models.push_back({.places = places * factor});
  return models;
}

std::vector<double> counts_of(const World& world) {
  std::vector<double> counts(world.size());
  for (const Pick& pick : world.picks()) counts[pick.member] += 1;
  return counts;
}

// The largest relative distance of a part from its factor's.
double worst_of(const std::vector<double>& counts, const std::vector<int>& factors) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  double worst = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    worst = std::max(worst, std::abs(counts[i] / (all * factors[i] / sum_of(factors)) - 1));
  }
  return worst;
}

void use_many_keys(World& world) {
  world.key = [](std::mt19937_64& random) { return std::to_string(random()); };
}

double said(std::string_view what, double worst) {
  std::printf("%.*s: %.3f %%\n", static_cast<int>(what.size()), what.data(), 100 * worst);
  return worst;
}

// The same after `count` requests that keep them busy by half.
double worst_share(std::string_view parameters, const std::vector<int>& factors, double count,
                   std::uint64_t seed) {
  constexpr int places = 20;
  World world(group_with(factors, parameters, seed), models_for(factors, places), seed);
  use_many_keys(world);
  const double rate = sum_of(factors) * places / 0.01 / 2;
  world.run(rate, count / rate);
  const std::vector<double> counts = counts_of(world);
  EXPECT_EQ(world.refused(), 0);
  world.finish();
  return said(parameters, worst_of(counts, factors));
}

// A member's credit is above minus what one turn hands out, and all credits add up to nothing: so
// it never has one more than its due, nor n - 1 less.
TEST(Shares, of_turns_are_exact) {
  for (const std::vector<int>& factors : {std::vector{1, 1, 2}, {1, 2, 1, 2}, {1, 3, 5, 7, 100}}) {
    for (const std::uint64_t seed : seeds_of_run()) {
      World world(group_with(factors, "lbmethod=byrequests"), models_for(factors, 20), seed);
      world.run(100 * sum_of(factors), 40'000 / (100 * sum_of(factors)));
      const std::vector<double> counts = counts_of(world);
      for (std::size_t i = 0; i < factors.size(); ++i) {
        const double due = static_cast<double>(world.picks().size()) * factors[i] / sum_of(factors);
        EXPECT_LT(counts[i], due + 1);
        EXPECT_GT(counts[i], due - static_cast<double>(factors.size() - 1));
      }
      world.finish();
    }
  }
}

// Bytes, whatever the number of requests: answers differ in length. They count when they have
// moved, so a member's part lags behind by what is under way.
TEST(Shares, of_bytes_equal_load_factors_within_one_per_cent) {
  const std::vector<int> factors{1, 1, 2};
  for (const std::uint64_t seed : seeds_of_run()) {
    World world(group_with(factors, "lbmethod=bytraffic"), models_for(factors, 20), seed);
    std::mt19937_64 lengths(seed);
    world.on_pick = [&](std::size_t) {
      world.answer_bytes = static_cast<std::int64_t>(lengths() % 20'000);
    };
    world.run(4000, 30);
    std::vector<double> bytes;
    for (const balance::MemberView& view : world.balancer().members())
      bytes.push_back(static_cast<double>(view.read_bytes));
    EXPECT_LT(said("bytraffic, bytes", worst_of(bytes, factors)), 0.01);
    world.finish();
  }
}

// As many requests as make one per cent of a quarter of them five standard deviations.
TEST(Shares, of_draws_equal_load_factors_within_one_per_cent) {
  const double count = 750'000;
  EXPECT_LE(deviations * deviation_of_draws(0.25, count), 0.01);
  for (const std::uint64_t seed : seeds_of_run())
    EXPECT_LT(worst_share("lbmethod=random", {1, 1, 2}, count, seed), 0.01);
}

// A table of 4,093 slots, to within one of 1,023: 0.1 %. The rest is by chance of the keys.
TEST(Shares, of_a_table_equal_load_factors_within_one_per_cent) {
  const double count = 940'000;
  EXPECT_LE(deviations * deviation_of_draws(0.25, count) + 1.0 / 1023, 0.01);
  for (const std::uint64_t seed : seeds_of_run())
    EXPECT_LT(worst_share("lbmethod=maglev", {1, 1, 2}, count, seed), 0.01);
}

// Points on a ring lie by chance (keys_test.cpp), and one key is asked for by a third of all. The
// bound of 125 % takes from who has too much: by Little's law nobody has more of the requests than
// it has of those under way. Nobody has less than the other keys of its points.
TEST(Shares, of_a_ring_are_within_its_bound) {
  const std::vector<int> factors{1, 2, 1, 2};
  for (const std::uint64_t seed : seeds_of_run()) {
    World world(group_with(factors, "lbmethod=hash", seed), {4, {0.01, 1000}}, seed);
    world.key = [](std::mt19937_64& random) {
      return random() % 3 == 0 ? "popular" : std::to_string(random());
    };
    constexpr double live = 200;
    world.run(live / 0.01, 5);
    const std::vector<double> counts = counts_of(world);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const double fair = factors[i] / sum_of(factors);
      const double part = counts[i] / static_cast<double>(world.picks().size());
      EXPECT_LT(part, 1.25 * fair + 1 / live);
      EXPECT_GT(part, 2.0 / 3 * fair * (1 - deviations / std::sqrt(160.0 * factors[i])));
    }
    world.finish();
  }
}

// Those that look at load or time do not promise factors. Half loaded, tworandom keeps to them as
// draws do. leasttime asks those of a small factor some 5 % too often, as their slow answers are
// forgotten sooner between two looks; the rest is what it remembers for ten seconds.
TEST(Shares, follow_load_factors_roughly_where_load_decides) {
  const std::vector<int> factors{1, 2, 1, 2};
  constexpr double count = 300'000;
  for (const std::uint64_t seed : seeds_of_run()) {
    EXPECT_LT(worst_share("lbmethod=tworandom", factors, count, seed),
              deviations * deviation_of_draws(1.0 / 6, count));
    EXPECT_LT(worst_share("lbmethod=leasttime", factors, count, seed), 0.15);
  }
}

// One at a time, as a rule: then nobody is busier than others, and factors decide.
TEST(Shares, equal_load_factors_within_one_per_cent_where_nobody_is_busy) {
  const std::vector<int> factors{1, 1, 2};
  for (const std::string_view parameters : {"lbmethod=bybusyness", "lbmethod=tworandom"}) {
    for (const std::uint64_t seed : seeds_of_run()) {
      World world(group_with(factors, parameters), {3, {0.0001, 10}}, seed);
      world.run(10, parameters == "lbmethod=bybusyness" ? 5'000 : 75'000);
      EXPECT_LT(said(parameters, worst_of(counts_of(world), factors)), 0.01);
      world.finish();
    }
  }
}

// All have as many under way, to within one. So, by Little's law, what a member gets is by how
// quick it is: whatever its factor, which only breaks ties (httpd).
TEST(Shares, of_bybusyness_equal_what_members_can_do_within_one_per_cent) {
  const std::vector<int> factors{1, 1, 2, 5};
  constexpr double each = 200;  // under way
  for (const std::vector<int>& speeds : {std::vector{1, 1, 1, 1}, {1, 2, 4, 1}}) {
    for (const std::uint64_t seed : seeds_of_run()) {
      std::vector<MemberModel> models;
      for (const int speed : speeds)
        models.push_back({.service_seconds = 0.01 / speed, .places = 1000, .exponential = false});
      World world(group_with(factors, "lbmethod=bybusyness"), models, seed);
      const double rate = each * sum_of(speeds) / 0.01;
      world.run(rate, 0.1);  // until they are
      world.forget();
      world.run(rate, 250'000 / rate);
      EXPECT_LT(said("bybusyness", worst_of(counts_of(world), speeds)), 0.01);
      world.finish();
    }
  }
}

TEST(Shares, of_equal_members_are_equal_where_load_decides) {
  for (const std::string_view policy : {"lbmethod=bybusyness", "lbmethod=tworandom"}) {
    for (const std::uint64_t seed : seeds_of_run()) {
      World world(group_of(members, policy), {members, {0.01, 8}}, seed);
      world.run(4000, 60);
      const std::vector<int> equal(members, 1);
      EXPECT_LT(said(policy, worst_of(counts_of(world), equal)), 0.01);
      world.finish();
    }
  }
}

// Answers that all take as long tell nothing: what is left is the first of two draws.
TEST(Shares, of_equal_members_are_those_of_draws_where_times_are_equal) {
  constexpr double count = 300'000;
  for (const std::uint64_t seed : seeds_of_run()) {
    World world(group_of(members, "lbmethod=leasttime"), {members, {0.01, 100, false}}, seed);
    world.run(4000, count / 4000);
    EXPECT_LT(said("leasttime", worst_of(counts_of(world), std::vector<int>(members, 1))),
              deviations * deviation_of_draws(1.0 / members, count));
    world.finish();
  }
}

// leasttime remembers for ten seconds who was slow, so half a minute is one look at shares. The
// mean of many is the fair share as closely as their own scatter tells.
TEST(Shares, of_equal_members_are_equal_where_time_decides) {
  constexpr int looks = 60;
  for (const std::uint64_t seed : seeds_of_run()) {
    World world(group_of(members, "lbmethod=leasttime"), {members, {0.01, 8}}, seed);
    std::vector<std::vector<double>> parts(members);
    for (int look = 0; look < looks; ++look) {
      world.forget();
      world.run(200, 30);
      const std::vector<double> counts = counts_of(world);
      for (std::size_t i = 0; i < members; ++i)
        parts[i].push_back(counts[i] * members / static_cast<double>(world.picks().size()));
    }
    for (const std::vector<double>& part : parts) {
      const double mean = std::accumulate(part.begin(), part.end(), 0.0) / looks;
      double squares = 0;
      for (const double one : part) squares += (one - mean) * (one - mean);
      const double deviation = std::sqrt(squares / (looks - 1) / looks);
      EXPECT_NEAR(mean, 1, deviations * deviation);
      EXPECT_LT(deviation, 0.025);
    }
    world.finish();
  }
}

// By the idle workers that servers tell of. Their places are as 1 : 1 : 2, so that what is idle is,
// too. The last one's part is larger by one of 1,800 (httpd).
TEST(Shares, of_heartbeats_equal_what_is_idle_within_one_per_cent) {
  const std::vector<int> places{1, 1, 2};
  for (const std::uint64_t seed : seeds_of_run()) {
    World world(group_of(3, "lbmethod=heartbeat"), models_for(places, 500), seed);
    constexpr double rate = 20'000;
    constexpr double count = 800'000;
    world.send_heartbeats(0.1, count / rate);
    world.run(rate, count / rate);
    EXPECT_EQ(world.refused(), 0);
    EXPECT_LT(said("heartbeat", worst_of(counts_of(world), places)), 0.01);
    world.finish();
  }
}

// Together they have 320 places and are asked for 240 on average: single members reach their limit
// all the time, all of them together hardly.
TEST(Limits, no_member_is_above_its_own_while_another_has_room) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (policy.lookup == balance::Lookup::none) continue;  // httpd's look at max= with queue= only
    constexpr int limit = 40;
    auto spec = group_of(members, "lbmethod=" + std::string(policy.name));
    for (balance::MemberSpec& member : spec->members) member.pool.connections_max = limit;
    World world(spec, {members, {0.03, 1000}});
    world.key = [](std::mt19937_64& random) { return std::to_string(random() % 20); };
    int at_limit = 0;
    world.on_pick = [&](std::size_t member) {
      at_limit += world.live(member) == limit ? 1 : 0;
      if (world.live_in_all() <= limit * static_cast<int>(members)) {
        EXPECT_LE(world.live(member), limit) << policy.name;
      }
    };
    world.run(8000, 20);
    world.finish();
    if (policy.by_key()) {
      EXPECT_GT(at_limit, 0) << policy.name;
    }
  }
}

class Counters : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Counters, are_zero_at_the_end_whatever_failed_meanwhile) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    for (const std::uint64_t seed : seeds_of_run()) {
      SCOPED_TRACE(policy.name);
      auto spec =
          group_of(members, std::string(GetParam()) + " lbmethod=" + std::string(policy.name));
      for (balance::MemberSpec& member : spec->members) member.retry = std::chrono::seconds(1);
      World world(spec, {members, {0.01, 8, true, true, 0.002}}, seed);
      if (!policy.by_plan) world.send_heartbeats(1, 15);
      world.key = [](std::mt19937_64& random) { return std::to_string(random() % 1000); };
      for (int i = 0; i < 40; ++i) {
        world.after(0.25 * i, [&world, i] { world.model(i % members).up = i % 3 == 0; });
      }
      for (int i = 0; i < static_cast<int>(members); ++i) {
        world.after(10 + 0.5 * i, [&world, i] { world.model(i).up = true; });
      }
      world.run(1500, 15);
      EXPECT_GT(world.picks().size(), 18'000U);
      world.finish();
      for (const balance::MemberView& view : world.balancer().members()) {
        EXPECT_EQ(view.busy, 0);
        EXPECT_FALSE(view.on_trial);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Counters,
                         ::testing::Values("slowstart=2 reentry=current",
                                           "failcount=3/2 trial=On"));

}  // namespace
}  // namespace steelyard::sim
