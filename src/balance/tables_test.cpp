// The tables of policies that draw or look up: chances, evenness, and what moves when members come
// and go.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "balance/hash_ring.hpp"
#include "balance/maglev_table.hpp"
#include "balance/pick_tables.hpp"
#include "balance/test_group.hpp"
#include "balance/weight_table.hpp"

namespace steelyard::balance {
namespace {

std::vector<KeyOwner> owners_of(Position count, std::int64_t factor = load_factor_unit) {
  std::vector<KeyOwner> owners;
  for (Position at = 0; at < count; ++at) {
    owners.push_back({at, hash_of("http://10.0.0.1:" + std::to_string(at)), factor});
  }
  return owners;
}

TEST(WeightTable, draws_each_position_with_the_chance_of_its_weight) {
  const std::vector<Weighted> weights{{7, 100}, {3, 250}, {5, 1}, {9, 10'000}, {1, 100}};
  const WeightTable table(weights);
  constexpr int draws = 4'000'000;
  Random random(1);
  std::map<Position, double> hits;
  for (int i = 0; i < draws; ++i) hits[table.draw(random.next())] += 1;
  for (const auto& [position, weight] : weights) {
    const double expected = draws * static_cast<double>(weight) / 10'451;
    // Five standard deviations.
    EXPECT_NEAR(hits[position], expected, 5 * std::sqrt(expected)) << position;
  }
}

TEST(WeightTable, a_single_position_is_always_drawn) {
  const WeightTable table(std::vector<Weighted>{{4, 300}});
  EXPECT_EQ(table.draw(0), 4U);
  EXPECT_EQ(table.draw(UINT64_MAX), 4U);
}

TEST(HashRing, a_key_belongs_to_the_first_point_behind_it_and_the_last_wraps) {
  const HashRing ring(owners_of(3));
  EXPECT_EQ(ring.size(), 3U * HashRing::points_per_unit);
  EXPECT_EQ(ring.find(UINT64_MAX), 0U);
  EXPECT_EQ(ring.next(ring.size() - 1), 0U);
  Random random(2);
  std::size_t last = 0;
  std::uint64_t step = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t place = ring.find(step);
    EXPECT_TRUE(place >= last || place == 0);  // keys in order meet places in order
    last = place;
    const std::uint64_t next = step + UINT64_MAX / 10'000;
    if (next < step) break;
    step = next;
  }
}

// Every point with its neighbours, and keys from everywhere.
TEST(HashRing, finds_what_a_search_through_all_points_finds) {
  for (const int count : {1, 2, 3, 7, 50}) {
    auto owners = owners_of(count);
    owners.back().factor *= 3;
    std::vector<std::pair<std::uint64_t, Position>> points;
    for (const KeyOwner& owner : owners) {
      std::uint64_t seed = owner.identity;
      for (auto i = owner.factor * HashRing::points_per_unit / load_factor_unit; i > 0; --i)
        points.emplace_back(mixed(seed += golden_step), owner.position);
    }
    std::ranges::sort(points);
    const HashRing ring(owners);
    ASSERT_EQ(ring.size(), points.size());
    std::vector<std::uint64_t> keys{0, UINT64_MAX};
    for (const auto& [at, owner] : points) keys.insert(keys.end(), {at - 1, at, at + 1});
    Random random(7);
    for (int i = 0; i < 2000; ++i) keys.push_back(random.next());
    for (const std::uint64_t key : keys) {
      const auto found = std::ranges::find_if(points, [key](auto one) { return one.first >= key; });
      const auto place = found == points.end() ? 0 : found - points.begin();
      ASSERT_EQ(ring.find(key), static_cast<std::size_t>(place)) << count << " owners, key " << key;
      ASSERT_EQ(ring.owner(ring.find(key)), points[place].second);
    }
  }
}

TEST(HashRing, when_an_owner_leaves_no_key_of_others_moves) {
  auto owners = owners_of(20);
  const HashRing before(owners);
  owners.erase(owners.begin() + 7);
  const HashRing after(owners);
  Random random(3);
  int moved = 0;
  constexpr int keys = 100'000;
  for (int i = 0; i < keys; ++i) {
    const std::uint64_t key = random.next();
    const Position was = before.owner(before.find(key));
    const Position is = after.owner(after.find(key));
    if (was != 7) {
      EXPECT_EQ(is, was);
    }
    moved += was == 7 ? 1 : 0;
  }
  // One of twenty, give or take what 160 points spread (1/sqrt(160) = 8 %, three times).
  EXPECT_NEAR(moved, keys / 20.0, keys / 20.0 * 0.24);
}

TEST(HashRing, an_owner_of_twice_the_factor_has_twice_the_points_and_keeps_the_first) {
  auto owners = owners_of(5);
  const HashRing before(owners);
  owners[2].factor *= 2;
  const HashRing after(owners);
  EXPECT_EQ(after.size() - before.size(), static_cast<std::size_t>(HashRing::points_per_unit));
  Random random(4);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t key = random.next();
    const Position was = before.owner(before.find(key));
    const Position is = after.owner(after.find(key));
    EXPECT_TRUE(is == was || is == 2) << was << " to " << is;
  }
}

TEST(HashRing, its_points_are_bounded) {
  const auto limit = static_cast<std::size_t>(HashRing::points_max);
  EXPECT_LE(HashRing(owners_of(100, 10'000)).size(), limit);
  const HashRing large(owners_of(10'000));
  EXPECT_LE(large.size(), limit);
  EXPECT_GE(large.size(), 10'000U * 20);
}

std::map<Position, int> slots_by_owner(const MaglevTable& table) {
  std::map<Position, int> counts;
  for (const Position at : table.slots()) ++counts[at];
  return counts;
}

TEST(Maglev, every_owner_has_its_slots_to_within_one) {
  for (const Position count : {1U, 3U, 40U, 500U, 10'000U}) {
    const MaglevTable table(owners_of(count));
    const auto slots = table.slots().size();
    EXPECT_GE(slots, std::size_t{100} * count);
    const auto by_owner = slots_by_owner(table);
    EXPECT_EQ(by_owner.size(), count);
    for (const auto& [owner, has] : by_owner) {
      EXPECT_NEAR(has, static_cast<double>(slots) / count, 1) << owner;
    }
  }
}

TEST(Maglev, slots_equal_load_factors_within_one_per_cent) {
  auto owners = owners_of(12);
  double sum = 0;
  for (Position at = 0; at < 12; ++at) {
    owners[at].factor = 100 + 50 * (at % 4);
    sum += static_cast<double>(owners[at].factor);
  }
  const MaglevTable table(owners);
  for (const auto& [owner, has] : slots_by_owner(table)) {
    const double fair =
        static_cast<double>(table.slots().size()) * static_cast<double>(owners[owner].factor) / sum;
    EXPECT_NEAR(has, fair, fair * 0.01 + 1) << owner;
  }
}

// Maglev gives up a little of consistency for evenness. With a hundred slots or more for each owner
// the paper measures less than 2 % of slots that move without need when one of 1000 fails; the
// bound here has room for fewer owners and other hashes.
TEST(Maglev, when_an_owner_leaves_few_slots_of_others_move) {
  for (const Position count : {10U, 40U, 600U}) {
    auto owners = owners_of(count);
    const MaglevTable before(owners);
    owners.erase(owners.begin() + count / 2);
    const MaglevTable after(owners);
    int needless = 0;
    for (std::size_t slot = 0; slot < before.slots().size(); ++slot) {
      const Position was = before.slots()[slot];
      needless += was != count / 2 && after.slots()[slot] != was ? 1 : 0;
    }
    const double share = needless / static_cast<double>(before.slots().size());
    EXPECT_LT(share, 0.05) << count << " owners";
    RecordProperty("needless_per_mille_" + std::to_string(count), static_cast<int>(share * 1000));
  }
}

TEST(PickTables, are_built_again_only_when_names_factors_sets_or_lookups_change) {
  const auto spec = group_spec("a b*2 c@1", "lbmethod=hash");
  EXPECT_TRUE(PickTables::same(*spec, *group_spec("a,D b*2=tag c@1", "lbmethod=hash timeout=3")));
  EXPECT_TRUE(PickTables::same(*group_spec("a", "lbmethod=random"),
                               *group_spec("a", "lbmethod=tworandom")));
  EXPECT_FALSE(PickTables::same(*spec, *group_spec("a b*2 c@1", "lbmethod=maglev")));
  EXPECT_FALSE(PickTables::same(*spec, *group_spec("a b*3 c@1", "lbmethod=hash")));
  EXPECT_FALSE(PickTables::same(*spec, *group_spec("a b*2 c@2", "lbmethod=hash")));
  EXPECT_FALSE(PickTables::same(*spec, *group_spec("a b*2 d@1", "lbmethod=hash")));
  EXPECT_FALSE(PickTables::same(*spec, *group_spec("a b*2", "lbmethod=hash")));
}

TEST(PickTables, policies_that_look_at_all_members_have_none) {
  EXPECT_EQ(PickTables::build(*group_spec("a b", "lbmethod=bybusyness")), nullptr);
}

TEST(Hashing, every_bit_of_a_text_counts) {
  std::map<std::uint64_t, std::string> seen;
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t at = 0; at <= length; ++at) {
      std::string text(length, 'x');
      if (at < length) text[at] = 'y';
      const auto [known, fresh] = seen.emplace(hash_of(text), text);
      EXPECT_TRUE(fresh || known->second == text) << text;
    }
  }
  EXPECT_NE(hash_of(std::string_view("\0", 1)), hash_of(std::string_view("\0\0", 2)));
}

}  // namespace
}  // namespace steelyard::balance
