#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

// Lists of thousands of members are made under the balancer's lock.
TEST(Reload, a_view_shares_the_configuration_of_its_moment_and_keeps_it) {
  Group group("a*2");
  const MemberView view = group.view("a");
  {
    const Decision decision = group.choose();
    EXPECT_EQ(view.spec.get(), &decision.lease.spec());
  }
  group.balancer.adopt(group_spec("a*3"));
  group.balancer.adopt(group_spec("a*4"));
  EXPECT_EQ(view.spec->load_factor, 200);
  EXPECT_EQ(group.view("a").spec->load_factor, 400);
}

using ::testing::ElementsAre;

TEST(Reload, known_members_keep_counters_credit_and_errors) {
  Group group("a b c");
  group.request("a");
  const std::vector<std::int64_t> before = group.credits();
  group.balancer.adopt(group_spec("a b c"));
  EXPECT_EQ(group.credits(), before);
  EXPECT_EQ(group.view("a").elected, 1U);
  EXPECT_EQ(group.status("a"), "Init Err ");
  EXPECT_EQ(group.view("a").error_time, group.now);
}

TEST(Reload, members_follow_their_names_not_their_places) {
  Group group("a b");
  group.picks(1);
  group.balancer.adopt(group_spec("c b a"));
  EXPECT_THAT(group.credits(), ElementsAre(0, 100, -100));
  EXPECT_EQ(group.picks(2), "bc");
}

TEST(Reload, session_accounting_is_settled_first) {
  Group group("a=r1 b=r2", "stickysession=sid");
  group.picks(1, "r1");
  group.balancer.adopt(group_spec("b=r2*5 a=r1"));
  EXPECT_THAT(group.credits(), ElementsAre(100, -100));
}

TEST(Reload, what_the_operator_set_stays_while_the_configuration_says_the_same) {
  Group group("a b,D");
  group.change("a", Flag::draining);
  group.change("b", {}, Flag::disabled);
  group.balancer.adopt(group_spec("a b,D"));
  EXPECT_EQ(group.status("a"), "Init Drn Ok ");
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

TEST(Reload, a_changed_status_parameter_applies) {
  Group group("a,D b");
  group.request("b");
  group.balancer.adopt(group_spec("a,H b,N"));
  EXPECT_EQ(group.status("a"), "Init Stby Ok ");
  EXPECT_EQ(group.status("b"), "Init Drn Err ");
  group.balancer.adopt(group_spec("a b"));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_EQ(group.status("b"), "Init Err ");
}

TEST(Reload, new_parameters_of_members_and_balancer_hold_at_once) {
  Group group("a=r1 b=r2", "stickysession=sid");
  group.balancer.adopt(group_spec("a=x b=y*3", "stickysession=sid nofailover=On maxattempts=0"));
  EXPECT_EQ(group.picks(2, "y"), "bb");
  EXPECT_EQ(group.request("ab", "y"), "b!");
  EXPECT_EQ(group.choose("y").outcome, Outcome::session_member_unusable);
}

TEST(Reload, a_gone_member_is_retired_and_its_exchanges_end_in_peace) {
  Group group("a b");
  Decision running = group.choose();
  const MemberRef gone = group.view("a").member;
  group.balancer.adopt(group_spec("b"));
  EXPECT_TRUE(gone->retired());
  EXPECT_EQ(gone->busy(), 1);
  EXPECT_EQ(group.picks(2), "bb");
  EXPECT_FALSE(group.balancer.change_status(gone, Flag::disabled, {}));
  running.lease.member().add_read(10);
  running.lease.end();
  EXPECT_EQ(gone->busy(), 0);
}

TEST(Reload, an_exchange_on_a_retired_member_may_still_fail_over) {
  Group group("a b");
  const Decision running = group.choose();
  group.balancer.adopt(group_spec("b c"));
  EXPECT_FALSE(group.balancer.may_try_another(running.lease, 1));
  EXPECT_TRUE(group.balancer.connect_failed(running.lease, group.now));
  EXPECT_TRUE(group.balancer.may_try_another(running.lease, 1));
  EXPECT_FALSE(group.balancer.may_try_another(running.lease, 2));
  EXPECT_EQ(group.status("b") + group.status("c"), "Init Ok Init Ok ");
}

TEST(Reload, a_member_that_comes_back_is_a_new_one) {
  Group group("a b");
  group.picks(2);
  group.balancer.adopt(group_spec("b"));
  group.balancer.adopt(group_spec("a b"));
  EXPECT_EQ(group.view("a").elected, 0U);
  EXPECT_EQ(group.view("b").elected, 1U);
}

TEST(Reload, a_lease_keeps_the_configuration_it_began_with) {
  Group group("a=old");
  const Decision running = group.choose();
  group.balancer.adopt(group_spec("a=new"));
  group.balancer.adopt(group_spec("a=newer"));
  EXPECT_EQ(running.lease.spec().tag, "old");
  EXPECT_EQ(group.choose().lease.spec().tag, "newer");
}

TEST(Reload, leases_outlive_the_balancer) {
  Lease lease;
  {
    Group group("a=r1");
    lease = group.choose().lease;
  }
  EXPECT_TRUE(lease.member().retired());
  EXPECT_EQ(lease.spec().tag, "r1");
}

TEST(Reload, another_policy_starts_with_even_credit) {
  Group group("a b");
  group.picks(1);
  group.balancer.adopt(group_spec("a b", "lbmethod=bybusyness"));
  EXPECT_THAT(group.credits(), ElementsAre(0, 0));
  group.picks(1);
  group.balancer.adopt(group_spec("a b", "lbmethod=bybusyness"));
  EXPECT_THAT(group.credits(), ElementsAre(-100, 100));
}

TEST(Reload, bytraffic_starts_with_no_bytes) {
  Group group("a b");
  group.choose().lease.member().add_read(5000);
  group.balancer.adopt(group_spec("a b", "lbmethod=bytraffic"));
  EXPECT_EQ(group.view("a").read_bytes, 0);
  EXPECT_EQ(group.picks(1), "a");
}

TEST(Reload, an_empty_generation_leaves_nobody) {
  Group group("a");
  group.balancer.adopt(group_spec(""));
  EXPECT_EQ(group.choose().outcome, Outcome::no_members);
}

}  // namespace
}  // namespace steelyard::balance
