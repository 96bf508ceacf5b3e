#include "journal/entries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace steelyard::journal {
namespace {

using balance::Overlay;
using testing::IsSubsetOf;
using testing::SizeIs;

TEST(Entries, lead_back_to_the_overlay) {
  Overlay overlay;
  overlay.put("", "timeout", "", "5");
  overlay.put("http://b", "lbset", "0", "2");
  overlay.remove("http://c");
  overlay.add("http://a");
  overlay.put("http://a", "status", "", "D");
  EXPECT_EQ(overlay_of(entries_of(overlay, {})), overlay);
  EXPECT_THAT(entries_of(Overlay(), {}), SizeIs(0));
}

TEST(Entries, those_that_stay_are_the_same_rows) {
  Overlay overlay;
  overlay.put("http://b", "lbset", "0", "2");
  overlay.put("http://b", "route", "", "r");
  const auto before = entries_of(overlay, {});
  overlay.put("http://c", "lbset", "0", "2");
  overlay.put("", "timeout", "", "5");
  const auto after = entries_of(overlay, before);
  EXPECT_THAT(before, IsSubsetOf(after));
  EXPECT_THAT(after, SizeIs(before.size() + 3));
}

// What one overlay became of another by, and that in any order, is told by the rows.
TEST(Entries, any_overlay_after_any_other_leads_back) {
  std::mt19937 random(20'261'129);
  const auto number = [&random](unsigned below) { return random() % below; };
  const auto name = [&] { return "http://m" + std::to_string(number(4)); };
  Overlay overlay;
  std::vector<Entry> rows;
  for (int round = 0; round < 2000; ++round) {
    switch (number(6)) {
      case 0:
        overlay.add(name());
        break;
      case 1:
        overlay.remove(name());
        break;
      case 2:
        std::ranges::shuffle(overlay.members, random);
        break;
      case 3:
        overlay.put("", number(2) == 0 ? "timeout" : "lbmethod", "", std::to_string(number(3)));
        break;
      default:
        overlay.put(name(), number(2) == 0 ? "lbset" : "route", "0", std::to_string(number(3)));
    }
    rows = entries_of(overlay, rows);
    std::ranges::shuffle(rows, random);
    ASSERT_EQ(overlay_of(rows), overlay) << "round " << round;
  }
}

}  // namespace
}  // namespace steelyard::journal
