// What others changed is made here: all of a balancer's changes become those of an overlay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/drains.hpp"
#include "balance/edits.hpp"
#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Become : public ::testing::Test {
 protected:
  std::vector<Change> become(const Overlay& overlay) {
    const auto tell = [this](const std::vector<Change>& changes, const Overlay& after) {
      told = changes;
      told_after = after;
    };
    auto became = Edits(group.balancer).become(overlay, group.now, tell);
    left_out = std::move(became.left_out);
    return std::move(became.changes);
  }

  Group group{"a b=r2 c"};
  std::vector<Change> told;
  Overlay told_after;
  std::vector<Superseded> left_out;
};

TEST_F(Become, fields_statuses_and_membership_change_together) {
  Overlay overlay;
  overlay.put("a", "loadfactor", "1.00", "3.00");
  overlay.put("a", "status", "", "D");
  overlay.put("", "timeout", "", "7");
  overlay.remove("c");
  overlay.add("http://d:8080");
  EXPECT_THAT(become(overlay),
              UnorderedElementsAre(Change{"a", "loadfactor", "1.00", "3.00"},
                                   Change{"a", "status", "", "D"}, Change{"", "timeout", "", "7"},
                                   Change{"c", "member", "configured", "removed"},
                                   Change{"http://d:8080", "member", "", "added"}));
  EXPECT_THAT(told, SizeIs(5));
  EXPECT_EQ(told_after, overlay);
  EXPECT_EQ(group.status("a"), "Init Dis ");
  EXPECT_EQ(group.status("http://d:8080"), "Init Ok ");
  EXPECT_EQ(group.balancer.members().size(), 3U);
}

// Another instance's operator drained it: S goes with N, unless it was there before.
TEST_F(Become, a_stop_that_came_with_a_drain_is_taken_back_with_it) {
  Overlay overlay;
  overlay.put("a", "status", "", "SN");
  overlay.put("b", "status", "", "S");
  become(overlay);
  overlay.put("b", "status", "", "SN");
  become(overlay);
  EXPECT_EQ(group.status("a"), "Init Drn Stop ");
  EXPECT_EQ(group.status("b"), "Init Drn Stop ");
  Drains drains(group.balancer);
  EXPECT_TRUE(drains.undrain(group.view("a").member, group.now));
  EXPECT_TRUE(drains.undrain(group.view("b").member, group.now));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_EQ(group.status("b"), "Init Stop ");
}

TEST_F(Become, a_member_that_came_with_its_drain_is_undrained_too) {
  Overlay overlay;
  overlay.remove("b");
  overlay.remove("c");
  become(overlay);
  overlay.bring_back("b");
  overlay.bring_back("c");
  overlay.add("http://d:8080");
  overlay.put("http://d:8080", "status", "", "SN");
  overlay.put("b", "status", "", "SN");
  overlay.put("c", "status", "", "S");
  become(overlay);
  Drains drains(group.balancer);
  for (const char* member : {"b", "http://d:8080"}) {
    EXPECT_EQ(group.status(member), "Init Drn Stop ");
    EXPECT_TRUE(drains.undrain(group.view(member).member, group.now));
    EXPECT_EQ(group.status(member), "Init Ok ");
  }
  EXPECT_FALSE(drains.undrain(group.view("c").member, group.now));
  EXPECT_EQ(group.status("c"), "Init Stop ");
}

TEST_F(Become, nothing_is_as_the_configuration_has_it) {
  ASSERT_TRUE(Edits(group.balancer)
                  .change({.added = {"http://d:8080"},
                           .fields = {{"a", "status", "D"}, {"b", "lbset", "2"}},
                           .removed = {"c"},
                           .added_max = 9},
                          group.now));
  EXPECT_THAT(become({}),
              UnorderedElementsAre(Change{"a", "status", "D", ""}, Change{"b", "lbset", "2", "0"},
                                   Change{"c", "member", "removed", "configured"},
                                   Change{"http://d:8080", "member", "added", ""}));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(Become, what_is_so_already_in_another_order_is_left_alone) {
  Overlay overlay;
  overlay.put("a", "lbset", "0", "1");
  overlay.put("b", "lbset", "0", "1");
  become(overlay);
  Overlay other;
  other.put("b", "lbset", "0", "1");
  other.put("a", "lbset", "0", "1");
  told.clear();
  EXPECT_THAT(become(other), IsEmpty());
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(Edits(group.balancer).overlay(), overlay);
}

TEST_F(Become, where_the_configuration_says_otherwise_it_counts) {
  Overlay overlay;
  overlay.put("a", "loadfactor", "5.00", "3.00");
  overlay.put("x", "loadfactor", "1.00", "3.00");
  EXPECT_THAT(become(overlay), IsEmpty());
  ASSERT_THAT(left_out, SizeIs(2));
  EXPECT_EQ(left_out[0].now, "1.00");
  EXPECT_EQ(left_out[1].now, "gone");
}

TEST_F(Become, a_status_of_others_ends_a_drain_that_was_ordered_here) {
  const auto member = group.view("a").member;
  ASSERT_TRUE(Drains(group.balancer).order(member, {.sessions_max = 0}, group.now));
  become({});
  EXPECT_EQ(Drains(group.balancer).of(member)->state, DrainState::cancelled);
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

}  // namespace
}  // namespace steelyard::balance
