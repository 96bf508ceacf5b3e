#include "balance/edits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "balance/drains.hpp"
#include "balance/test_group.hpp"

namespace steelyard::balance {

// For gtest.
std::ostream& operator<<(std::ostream& out, const Change& change) {
  return out << change.member << ' ' << change.field << ": " << change.before << " -> "
             << change.after;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class EditsTest : public ::testing::Test {
 protected:
  using Changes = std::vector<Change>;

  Changes set(std::string member, std::string field, std::string value) {
    return order({.fields = {{std::move(member), std::move(field), std::move(value)}}});
  }
  Changes order(const ChangeOrder& order) {
    auto done = Edits(group.balancer).change(order, group.now);
    EXPECT_TRUE(done) << done.error().text;
    return done ? *done : Changes();
  }
  ChangeFault refused(const ChangeOrder& order) {
    const auto before = Edits(group.balancer).overlay();
    auto done = Edits(group.balancer).change(order, group.now);
    EXPECT_FALSE(done);
    EXPECT_EQ(Edits(group.balancer).overlay(), before);
    return done ? ChangeFault{} : done.error();
  }
  void reload(std::string_view members, std::string_view parameters = "") {
    group.balancer.adopt(group_spec(members, parameters), group.now);
  }

  Group group{"a b=r2 c"};
};

TEST_F(EditsTest, another_factor_counts_at_once_and_nobody_is_owed_turns) {
  group.picks(1);
  EXPECT_THAT(set("b", "loadfactor", "2"), ElementsAre(Change{"b", "loadfactor", "1.00", "2.00"}));
  EXPECT_THAT(group.credits(), ElementsAre(100, 200, 100));
  const std::string picks = group.picks(8);
  EXPECT_EQ(std::ranges::count(picks, 'b'), 4) << picks;
}

TEST_F(EditsTest, a_change_keeps_what_the_member_has) {
  const Decision under_way = group.choose();
  group.balancer.force_error(group.choose("r2").lease, group.now);
  set("b", "lbset", "3");
  EXPECT_EQ(group.status("b"), "Init Err ");
  EXPECT_EQ(group.view("a").busy, 1);
  EXPECT_EQ(group.view("a").elected, 1);
}

TEST_F(EditsTest, the_policy_and_stickiness_of_a_balancer) {
  EXPECT_FALSE(group.balancer.is_altered());
  EXPECT_THAT(set("", "lbmethod", "bybusyness"),
              ElementsAre(Change{"", "lbmethod", "byrequests", "bybusyness"}));
  EXPECT_TRUE(group.balancer.is_altered());
  EXPECT_EQ(group.balancer.spec()->effective_policy(), Policy::by_busyness);
  set("", "stickysession", "sid");
  EXPECT_EQ(group.picks(3, "r2"), "bbb");
  set("", "lbmethod", "byrequests");
  set("", "stickysession", "");
  EXPECT_FALSE(group.balancer.is_altered());
}

TEST_F(EditsTest, what_is_so_already_is_no_change) {
  EXPECT_THAT(set("a", "loadfactor", "1"), IsEmpty());
  EXPECT_THAT(set("a", "status", ""), IsEmpty());
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(EditsTest, all_of_an_order_or_nothing) {
  const ChangeFault fault = refused({.fields = {{"a", "lbset", "1"}, {"b", "lbset", "1000"}}});
  EXPECT_EQ(fault.kind, ChangeFault::Kind::bad_value);
  EXPECT_EQ(fault.member, "b");
  EXPECT_EQ(fault.field, "lbset");
  EXPECT_EQ(group.view("a").spec->lbset, 0);
  EXPECT_EQ(refused({.fields = {{"x", "lbset", "1"}}}).kind, ChangeFault::Kind::no_such_member);
  EXPECT_EQ(refused({.fields = {{"a", "max", "1"}}}).kind, ChangeFault::Kind::no_such_field);
}

TEST_F(EditsTest, a_status_is_a_change_of_its_letters) {
  EXPECT_THAT(set("a", "status", "D"), ElementsAre(Change{"a", "status", "", "D"}));
  EXPECT_EQ(group.status("a"), "Init Dis ");
  EXPECT_EQ(group.picks(4), "bcbc");
  EXPECT_EQ(group.view("a").member->health_log().events().back().cause, HealthCause::administrator);
  set("a", "status", "");
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(EditsTest, a_status_leaves_alone_what_was_found_out) {
  group.balancer.force_error(group.choose().lease, group.now);
  set("a", "status", "H");
  EXPECT_EQ(group.status("a"), "Init Err Stby ");
  set("a", "status", "");
  EXPECT_EQ(group.status("a"), "Init Err ");
}

TEST_F(EditsTest, status_bits_are_changes_too) {
  group.change("a", Flag::disabled | Flag::health_failed);
  EXPECT_THAT(Edits(group.balancer).overlay().members,
              ElementsAre(MemberEdits{.member = "a", .edits = {{"status", "", "D"}}}));
  // What a reload finds is the wish, and what checks found stays as well.
  reload("a b=r2 c d");
  EXPECT_EQ(group.status("a"), "Init Dis HcFl ");
  group.change("a", {}, Flag::disabled);
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(EditsTest, so_are_drains) {
  Drains drains(group.balancer);
  drains.order(group.view("a").member, {.pace = DrainOrder::Pace::sessions_leave}, group.now);
  EXPECT_EQ(Edits(group.balancer).overlay().members[0].edits[0], (Edit{"status", "", "SN"}));
  drains.undrain(group.view("a").member, group.now);
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
  drains.order(group.view("a").member, {.sessions_max = 0}, group.now);
  EXPECT_EQ(Edits(group.balancer).overlay().members[0].edits[0], (Edit{"status", "", "N"}));
  EXPECT_THAT(drains.watch(group.now).ended, SizeIs(1));
  EXPECT_EQ(Edits(group.balancer).overlay().members[0].edits[0], (Edit{"status", "", "SN"}));
}

TEST_F(EditsTest, a_status_that_bits_or_a_drain_set_is_taken_back) {
  group.change("a", Flag::disabled);
  EXPECT_THAT(set("a", "status", ""), ElementsAre(Change{"a", "status", "D", ""}));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  Drains(group.balancer).order(group.view("a").member, {}, group.now);
  EXPECT_THAT(set("a", "status", ""), ElementsAre(Change{"a", "status", "N", ""}));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(EditsTest, a_status_that_is_set_ends_the_drain) {
  Drains drains(group.balancer);
  const MemberRef member = group.view("a").member;
  drains.order(member, {.sessions_max = 0}, group.now);
  set("a", "status", "D");
  EXPECT_EQ(drains.of(member)->state, DrainState::cancelled);
}

TEST_F(EditsTest, a_status_set_by_bits_is_changed_like_any_other) {
  group.change("a", Flag::disabled);
  EXPECT_THAT(set("a", "status", "D"), IsEmpty());
  EXPECT_THAT(set("a", "status", ""), ElementsAre(Change{"a", "status", "D", ""}));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  set("a", "status", "D");
  group.change("a", {}, Flag::disabled);
  EXPECT_THAT(set("a", "status", "D"), ElementsAre(Change{"a", "status", "", "D"}));
  EXPECT_EQ(group.picks(4), "bcbc");
}

TEST_F(EditsTest, a_drain_is_taken_back_by_the_status) {
  Drains drains(group.balancer);
  drains.order(group.view("a").member, {.pace = DrainOrder::Pace::sessions_leave}, group.now);
  EXPECT_THAT(set("a", "status", ""), ElementsAre(Change{"a", "status", "SN", ""}));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
}

TEST_F(EditsTest, a_reload_keeps_changes_where_the_configuration_says_what_it_said) {
  set("a", "loadfactor", "2");
  set("b", "route", "other");
  set("", "timeout", "3");
  reload("a b=r5 c d", "lbmethod=bybusyness");
  EXPECT_EQ(group.view("a").spec->load_factor, 200);
  EXPECT_EQ(group.view("b").spec->tag, "r5");
  EXPECT_EQ(group.balancer.spec()->timeout, seconds(3));
  EXPECT_THAT(Edits(group.balancer).take_superseded(),
              ElementsAre(Superseded{"b", {"route", "r2", "other"}, "r5"}));
  EXPECT_THAT(Edits(group.balancer).take_superseded(), IsEmpty());
}

TEST_F(EditsTest, an_added_member_begins_disabled_and_works) {
  EXPECT_THAT(order({.added = {"HTTP://X:80"}, .added_max = 1}),
              UnorderedElementsAre(Change{"http://x", "member", "", "added"},
                                   Change{"http://x", "status", "", "D"}));
  EXPECT_EQ(group.status("http://x"), "Init Dis ");
  set("http://x", "status", "");
  EXPECT_NE(group.picks(4).find("http://x"), std::string::npos);
  reload("a b=r2 c");
  EXPECT_EQ(group.balancer.members().size(), 4);
}

TEST_F(EditsTest, no_more_members_than_growth_allows) {
  order({.added = {"http://x", "http://y"}, .added_max = 2});
  const ChangeFault fault = refused({.added = {"http://z"}, .added_max = 2});
  EXPECT_EQ(fault.kind, ChangeFault::Kind::no_room);
  EXPECT_EQ(refused({.added = {"http://y"}, .added_max = 9}).kind, ChangeFault::Kind::exists);
  EXPECT_EQ(refused({.added = {"nonsense"}, .added_max = 9}).kind, ChangeFault::Kind::bad_value);
  order({.removed = {"http://x"}});
  order({.added = {"http://z"}, .added_max = 2});
}

TEST_F(EditsTest, a_removed_member_serves_what_is_under_way_and_comes_back_as_configured) {
  set("a", "loadfactor", "5");
  Decision under_way = group.choose();
  while (Group::name_of(under_way) != "a") under_way = group.choose();
  EXPECT_THAT(order({.removed = {"a"}}),
              ElementsAre(Change{"a", "member", "configured", "removed"}));
  EXPECT_EQ(group.picks(4).find('a'), std::string::npos);
  EXPECT_TRUE(under_way.lease.member().retired());
  reload("a b=r2 c d");
  EXPECT_EQ(group.balancer.members().size(), 3);
  EXPECT_THAT(order({.added = {"a"}, .added_max = 0}),
              ElementsAre(Change{"a", "member", "removed", "configured"}));
  EXPECT_EQ(group.view("a").spec->load_factor, 100);
}

TEST_F(EditsTest, kept_changes_are_put_back) {
  set("a", "loadfactor", "2");
  set("b", "route", "other");
  const Overlay kept = Edits(group.balancer).overlay();
  Group after("a b=r7 c");
  EXPECT_THAT(Edits(after.balancer).replace(kept, after.now),
              ElementsAre(Superseded{"b", {"route", "r2", "other"}, "r7"}));
  EXPECT_EQ(after.view("a").spec->load_factor, 200);
  EXPECT_EQ(after.view("b").spec->tag, "r7");
  Edits(after.balancer).replace({}, after.now);
  EXPECT_EQ(after.view("a").spec->load_factor, 100);
}

TEST_F(EditsTest, consent_is_asked_before_anything_is_changed) {
  const ChangeOrder order{.fields = {{"a", "loadfactor", "2"}}};
  Changes told;
  Overlay told_after;
  int factor_meanwhile = 0;
  const auto done =
      Edits(group.balancer)
          .change(order, group.now, [&](const Changes& changes, const Overlay& after) {
            told = changes;
            told_after = after;
            factor_meanwhile = group.view("a").spec->load_factor;
            return std::expected<void, std::string>();
          });
  ASSERT_TRUE(done);
  EXPECT_EQ(told, *done);
  EXPECT_EQ(told_after, Edits(group.balancer).overlay());
  EXPECT_EQ(factor_meanwhile, 100);
  EXPECT_EQ(group.view("a").spec->load_factor, 200);
}

TEST_F(EditsTest, what_finds_no_consent_is_not_done) {
  const ChangeOrder order{.fields = {{"a", "loadfactor", "2"}}, .removed = {"b"}};
  const auto done = Edits(group.balancer).change(order, group.now, [](const auto&, const auto&) {
    return std::expected<void, std::string>(std::unexpected("the disk is full"));
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ChangeFault::Kind::refused);
  EXPECT_EQ(done.error().text, "the disk is full");
  EXPECT_TRUE(Edits(group.balancer).overlay().empty());
  EXPECT_EQ(group.balancer.members().size(), 3);
}

TEST_F(EditsTest, consent_is_not_asked_about_nothing) {
  bool asked = false;
  const auto done = Edits(group.balancer)
                        .change({.fields = {{"a", "loadfactor", "1"}}}, group.now,
                                [&asked](const Changes&, const Overlay&) {
                                  asked = true;
                                  return std::expected<void, std::string>();
                                });
  EXPECT_TRUE(done);
  EXPECT_FALSE(asked);
}

TEST_F(EditsTest, consent_is_asked_again_when_a_reload_came_between) {
  std::vector<Changes> asked;
  const auto done = Edits(group.balancer)
                        .change({.fields = {{"a", "loadfactor", "3"}}}, group.now,
                                [&](const Changes& changes, const Overlay&) {
                                  if (asked.empty()) reload("a*2 b=r2 c d");
                                  asked.push_back(changes);
                                  return std::expected<void, std::string>();
                                });
  ASSERT_TRUE(done);
  EXPECT_THAT(asked, ElementsAre(ElementsAre(Change{"a", "loadfactor", "1.00", "3.00"}),
                                 ElementsAre(Change{"a", "loadfactor", "2.00", "3.00"})));
  EXPECT_EQ(*done, asked.back());
}

// For ThreadSanitizer: changes among choices and reloads.
TEST(EditThreads, changes_come_while_members_are_chosen_and_reloaded) {
  Group group("a b c");
  std::atomic<bool> done = false;
  {
    std::jthread chooser([&] {
      while (!done) {
        const Decision decision = group.balancer.choose({.session = {}, .now = group.now});
        if (decision.lease) group.balancer.connected(decision.lease);
      }
    });
    std::jthread reloader([&] {
      for (int i = 0; i < 200; ++i)
        group.balancer.adopt(group_spec(i % 2 == 0 ? "a b c" : "a b*2 c d"), group.now);
    });
    for (int i = 0; i < 200; ++i) {
      const ChangeOrder order{.fields = {{"a", "loadfactor", std::to_string(1 + i % 3)},
                                         {"b", "status", i % 2 == 0 ? "D" : ""}}};
      EXPECT_TRUE(Edits(group.balancer).change(order, group.now));
    }
    reloader.join();
    done = true;
  }
  EXPECT_EQ(group.view("a").spec->load_factor, 200);
  EXPECT_EQ(group.view("a").busy, 0);
}

}  // namespace
}  // namespace steelyard::balance
