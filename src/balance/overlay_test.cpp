#include "balance/overlay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string names_of(const BalancerSpec& spec) {
  std::string names;
  for (const MemberSpec& member : spec.members) names += member.name + ' ';
  return names;
}

TEST(Overlay, is_laid_over_members_and_balancer) {
  Overlay overlay;
  overlay.put("", "lbmethod", "byrequests", "bybusyness");
  overlay.put("b", "loadfactor", "1.00", "3.00");
  overlay.put("b", "route", "", "r2");
  const auto spec = laid_over(group_spec("a b c"), overlay);
  EXPECT_EQ(spec->effective_policy(), Policy::by_busyness);
  EXPECT_EQ(spec->members[1].load_factor, 300);
  EXPECT_EQ(spec->members[1].tag, "r2");
  EXPECT_EQ(spec->members[0], group_spec("a")->members[0]);
}

TEST(Overlay, without_changes_it_is_the_configuration_itself) {
  const std::shared_ptr<const BalancerSpec> configured = group_spec("a b");
  EXPECT_EQ(laid_over(configured, Overlay()), configured);
}

TEST(Overlay, what_the_configuration_says_anyway_is_no_change) {
  Overlay overlay;
  overlay.put("b", "lbset", "1", "2");
  overlay.put("b", "lbset", "2", "3");
  EXPECT_EQ(overlay.members[0].edits[0], (Edit{"lbset", "1", "3"}));
  overlay.put("b", "lbset", "3", "1");
  EXPECT_TRUE(overlay.empty());
  overlay.put("b", "lbset", "1", "1");
  EXPECT_TRUE(overlay.empty());
}

TEST(Overlay, members_are_added_and_removed) {
  Overlay overlay;
  overlay.add("http://x:81");
  overlay.put("http://x:81", "status", "", "D");
  overlay.remove("a");
  const auto spec = laid_over(group_spec("a b"), overlay);
  EXPECT_EQ(names_of(*spec), "b http://x:81 ");
  EXPECT_EQ(spec->members[1].host, "x");
  EXPECT_EQ(spec->members[1].port, 81);
  EXPECT_TRUE(spec->members[1].status.has(Flag::disabled));
  overlay.remove("http://x:81");
  overlay.bring_back("a");
  EXPECT_TRUE(overlay.empty());
}

// The three ways of a merge: the base is what the configuration said when the change was made.
TEST(Overlay, an_added_member_goes_to_no_request_line_but_its_own) {
  for (const std::string_view url :
       {"http://h/a b", "http://h/a\r\nX: 1", "http://h/caf\xe9", "http://h/a\x7f"})
    EXPECT_FALSE(added_member(url)) << url;
  EXPECT_TRUE(added_member("http://h/caf%e9"));
}

TEST(Rebase, a_change_stays_while_the_configuration_says_the_same_there) {
  Overlay overlay;
  overlay.put("b", "loadfactor", "1.00", "3.00");
  overlay.put("", "timeout", "", "5");
  const Overlay before = overlay;
  // Everything else may change.
  EXPECT_THAT(rebase(overlay, *group_spec("b@4=r2 a", "lbmethod=bytraffic"), false), IsEmpty());
  EXPECT_EQ(overlay, before);
}

TEST(Rebase, the_configuration_wins_where_it_changed) {
  Overlay overlay;
  overlay.put("b", "loadfactor", "1.00", "3.00");
  overlay.put("b", "lbset", "0", "1");
  overlay.put("", "timeout", "", "5");
  EXPECT_THAT(rebase(overlay, *group_spec("a b*2", "timeout=9"), false),
              ElementsAre(Superseded{"", {"timeout", "", "5"}, "9"},
                          Superseded{"b", {"loadfactor", "1.00", "3.00"}, "2.00"}));
  EXPECT_THAT(overlay.members,
              ElementsAre(MemberEdits{.member = "b", .edits = {{"lbset", "0", "1"}}}));
  EXPECT_THAT(overlay.balancer, IsEmpty());
}

TEST(Rebase, a_configuration_that_says_what_was_wished_for_supersedes_nothing) {
  Overlay overlay;
  overlay.put("b", "loadfactor", "1.00", "3.00");
  EXPECT_THAT(rebase(overlay, *group_spec("b*3"), false), IsEmpty());
  EXPECT_TRUE(overlay.empty());
}

TEST(Rebase, changes_to_a_member_that_is_gone_are_reported) {
  Overlay overlay;
  overlay.put("b", "loadfactor", "1.00", "3.00");
  EXPECT_THAT(rebase(overlay, *group_spec("a"), false),
              ElementsAre(Superseded{"b", {"loadfactor", "1.00", "3.00"}, "gone"}));
  EXPECT_TRUE(overlay.empty());
}

TEST(Rebase, changes_to_a_member_that_may_come_back_stay) {
  Overlay overlay;
  overlay.put("b", "loadfactor", "1.00", "3.00");
  EXPECT_THAT(rebase(overlay, *group_spec("a"), true), IsEmpty());
  EXPECT_THAT(overlay.members, SizeIs(1));
}

TEST(Rebase, an_added_member_stays_until_the_configuration_has_it) {
  Overlay overlay;
  overlay.add("http://x");
  overlay.put("http://x", "status", "", "D");
  overlay.put("http://x", "lbset", "0", "7");
  EXPECT_THAT(rebase(overlay, *group_spec("a"), false), IsEmpty());
  EXPECT_EQ(overlay.members[0].membership, Membership::added);
  EXPECT_THAT(rebase(overlay, *group_spec("a http://x@1"), false),
              ElementsAre(Superseded{"http://x", {"lbset", "0", "7"}, "1"}));
  EXPECT_THAT(overlay.members,
              ElementsAre(MemberEdits{.member = "http://x", .edits = {{"status", "", "D"}}}));
}

TEST(Rebase, a_removed_member_stays_away_until_the_configuration_lets_it_go) {
  Overlay overlay;
  overlay.remove("a");
  EXPECT_THAT(rebase(overlay, *group_spec("a*2 b"), false), IsEmpty());
  EXPECT_EQ(overlay.members[0].membership, Membership::removed);
  EXPECT_THAT(rebase(overlay, *group_spec("b"), false), IsEmpty());
  EXPECT_TRUE(overlay.empty());
}

}  // namespace
}  // namespace steelyard::balance
