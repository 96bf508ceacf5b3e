// Sets, spares, standbys, drains and sessions under load while members fail: what every policy
// honours alike, looked at with each choice.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <ostream>
#include <set>

#include "entitled.hpp"
#include "world.hpp"

namespace steelyard::sim {
namespace {

using balance::Flag;
using balance::PolicyTraits;
using balance::Reason;

constexpr double rate = 300;

std::string words(const PolicyTraits& policy, std::string_view parameters) {
  return "stickysession=sid lbmethod=" + std::string(policy.name) + ' ' + std::string(parameters);
}

// One in ten is new, the others are among the 600 that came last.
std::function<std::size_t(std::mt19937_64&)> people() {
  return [newest = std::size_t{0}](std::mt19937_64& random) mutable {
    if (newest == 0 || random() % 10 == 0) return ++newest;
    return newest - random() % std::min<std::size_t>(newest, 600);
  };
}

std::string any_key(std::mt19937_64& random) { return std::to_string(random() % 100'000); }

template <class Test>
void for_all(const Test& test) {
  for (const PolicyTraits& policy : balance::all_policies()) {
    for (const std::uint64_t seed : seeds_of_run()) {
      SCOPED_TRACE(std::string(policy.name) + ", seed " + std::to_string(seed));
      test(policy, seed);
    }
  }
}

void change(World& world, std::size_t member, balance::Status set, balance::Status clear) {
  EXPECT_TRUE(world.balancer().change_status(world.member(member), set, clear, world.instant()));
}

// From `from` on, `lasts` seconds long.
void flag(World& world, std::size_t member, Flag flag, double from, double lasts) {
  world.after(from, [&world, member, flag] { change(world, member, flag, {}); });
  world.after(from + lasts, [&world, member, flag] { change(world, member, {}, flag); });
}

void down(World& world, std::size_t member, double from, double lasts) {
  world.after(from, [&world, member] { world.model(member).up = false; });
  world.after(from + lasts, [&world, member] { world.model(member).up = true; });
}

// Set 0: m0 and m1, the spare m2, the standby m3. Set 1: m4 and m5, the standby m6. The sessions of
// m4 go to m5 rather than anywhere.
constexpr std::size_t members = 7;

std::shared_ptr<balance::BalancerSpec> group_of_roles(const PolicyTraits& policy,
                                                      std::string_view parameters) {
  auto spec = group_of(members, words(policy, parameters));
  spec->members[2].status = Flag::spare;
  spec->members[3].status = Flag::standby;
  spec->members[4].redirect_tag = "t5";
  spec->members[6].status = Flag::standby;
  for (std::size_t i = 0; i < members; ++i) {
    spec->members[i].lbset = i < 4 ? 0 : 1;
    spec->members[i].retry = std::chrono::seconds(1);
    spec->members[i].pool.connections_max = 2;  // means something with queue= and to the policies
  }  // that are not httpd's
  return spec;
}

// Beside it any member but m6 is down for a moment now and then, until all is quiet for the drain.
void let_happen(World& world, std::uint64_t seed) {
  flag(world, 0, Flag::health_failed, 10, 6);
  for (const std::size_t member : {0, 1}) down(world, member, 20, 6);
  flag(world, 2, Flag::disabled, 20, 6);
  for (const std::size_t member : {0, 1}) down(world, member, 30, 6);
  flag(world, 2, Flag::stopped, 30, 6);
  flag(world, 3, Flag::health_failed, 30, 6);
  down(world, 4, 32, 4);
  flag(world, 5, Flag::health_failed, 33, 3);
  flag(world, 1, Flag::draining, 40, 8);
  down(world, 1, 44, 1);
  std::mt19937_64 random(seed);
  for (double at = 1; at < 34; at += 0.4) down(world, random() % 6, at, 0.3);
}

// Looks at each choice.
class Watch {
 public:
  explicit Watch(World& world) : world_(world) {
    world.on_choice = [this](const Choice& choice) { look(choice); };
  }
  int of(Reason reason) const {
    const auto count = counts_.find(reason);
    return count == counts_.end() ? 0 : count->second;
  }
  int in_set_1() const { return in_set_1_; }
  int moved() const { return moved_; }
  int to_draining() const { return to_draining_; }

 private:
  void look(const Choice& choice) {
    ++counts_[choice.reason];
    const balance::MemberRef member = world_.member(choice.member);
    const balance::Status status = member->status();
    const bool by_session =
        choice.reason == Reason::by_session || choice.reason == Reason::by_redirect;
    world_.must(status.usable() || (status.awaits_retry() && member->on_trial()), "it is unusable");
    world_.must(!choice.own_was_usable || !choice.tried.empty() || choice.member == choice.own,
                "a session left its member");
    if (status.has(Flag::draining)) {
      ++to_draining_;
      world_.must(by_session, "a newcomer at a draining member");
    }
    if (by_session) return look_at_session(choice);
    if (choice.own) ++moved_;
    look_at_role(choice, status);
  }

  void look_at_session(const Choice& choice) {
    if (choice.reason == Reason::by_session) {
      world_.must(choice.member == choice.own, "by session, but not its own");
    } else {
      world_.must(choice.own == 4U && choice.member == 5U, "a redirect that was not asked for");
    }
  }

  void look_at_role(const Choice& choice, balance::Status status) {
    const std::set<std::size_t> entitled = entitled_members(world_, choice.tried);
    in_set_1_ += choice.member > 3 ? 1 : 0;
    if (choice.reason == Reason::trial) {
      const std::size_t best = entitled.empty() ? members : *entitled.begin();
      world_.must(choice.member / 4 <= best / 4, "a trial in a set that is not asked");
      return;
    }
    world_.must(entitled.contains(choice.member), "not entitled, but picked");
    world_.must(choice.reason == (status.has(Flag::spare)     ? Reason::spare
                                  : status.has(Flag::standby) ? Reason::standby
                                                              : Reason::by_policy),
                "another role than its own");
  }

  World& world_;
  std::map<Reason, int> counts_;
  int in_set_1_ = 0;
  int moved_ = 0;
  int to_draining_ = 0;
};

class Roles : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Roles, are_kept_whatever_fails) {
  int to_draining = 0;  // hardly any where httpd's turns left it without sessions
  for_all([&to_draining](const PolicyTraits& policy, std::uint64_t seed) {
    if (!policy.by_plan) return;  // lbmethod=heartbeat knows neither sets nor roles (httpd)
    World world(group_of_roles(policy, GetParam()), {members, {0.01, 1000}}, seed);
    const Watch watch(world);
    world.client = people();
    world.key = any_key;
    let_happen(world, seed);
    world.run(rate, 60);
    world.finish();
    EXPECT_EQ(world.refused(), 0);
    EXPECT_GT(watch.of(Reason::by_session), 5000);
    EXPECT_GT(watch.of(Reason::by_policy), 1000);
    EXPECT_GT(watch.of(Reason::spare), 100);
    EXPECT_GT(watch.of(Reason::standby), 100);
    EXPECT_GT(watch.of(Reason::by_redirect), 0);
    EXPECT_GT(watch.in_set_1(), 100);
    EXPECT_GT(watch.moved(), 200);
    to_draining += watch.to_draining();
    EXPECT_EQ(watch.of(Reason::trial) > 0, GetParam().contains("ejectmax"));
    for (const balance::MemberView& view : world.balancer().members()) {
      EXPECT_EQ(view.busy, 0);
      EXPECT_FALSE(view.on_trial);
    }
  });
  EXPECT_GT(to_draining, 500 * static_cast<int>(seeds_of_run().size()));
}

INSTANTIATE_TEST_SUITE_P(Sim, Roles,
                         ::testing::Values("forcerecovery=On", "slowstart=3 reentry=current",
                                           "failcount=3/5 ejectmax=1", "trial=On ejectmax=1",
                                           "queue=10000/60"));

// How often each client's session was taken to another member, and who asks.
struct Moves {
  explicit Moves(World& world) {
    world.on_choice = [this](const Choice& choice) {
      asked.insert(choice.client);
      at[choice.client] = choice.member;
      if (choice.own && choice.member != *choice.own) ++of[choice.client];
      if (choice.reason == Reason::spare) ++stand_ins;
      if (choice.member == 1 && choice.reason != Reason::by_session) ++newcomers_at_1;
      if (choice.member == 1 && choice.reason == Reason::by_session) ++sessions_at_1;
    };
  }
  std::set<std::size_t> clients_of_1() const {
    std::set<std::size_t> clients;
    for (const auto& [client, member] : at) {
      if (member == 1) clients.insert(client);
    }
    return clients;
  }
  // Those of `own` that asked moved once, and nobody else did.
  void expect_only(const std::set<std::size_t>& own) const {
    for (const std::size_t client : asked) {
      const auto count = of.find(client);
      EXPECT_EQ(count == of.end() ? 0 : count->second, own.contains(client) ? 1 : 0) << client;
    }
  }
  void forget() {
    asked.clear();
    of.clear();
    newcomers_at_1 = sessions_at_1 = stand_ins = 0;
  }

  std::map<std::size_t, std::size_t> at;  // by client
  std::map<std::size_t, int> of;          // by client; never: none
  std::set<std::size_t> asked;
  int newcomers_at_1 = 0;
  int sessions_at_1 = 0;
  int stand_ins = 0;
};

// The fifth is a spare. Who comes back goes on where the others are: else it might get nothing for
// as long as it was away (bytraffic).
std::shared_ptr<balance::BalancerSpec> group_of_five(const PolicyTraits& policy) {
  auto spec = group_of(5, words(policy, "reentry=current"));
  spec->members[4].status = Flag::spare;
  for (balance::MemberSpec& member : spec->members) member.retry = std::chrono::seconds(1);
  return spec;
}

TEST(Sessions, move_once_when_their_member_fails_and_stay_there_when_it_is_back) {
  for_all([](const PolicyTraits& policy, std::uint64_t seed) {
    World world(group_of_five(policy), {5, {0.01, 1000}}, seed);
    if (!policy.by_plan) world.send_heartbeats(1, 30);
    Moves moves(world);
    world.client = [](std::mt19937_64& random) { return random() % 400; };
    world.key = any_key;
    world.run(400, 10);
    moves.expect_only({});
    const auto own = moves.clients_of_1();
    EXPECT_GT(own.size(), 40U);
    world.model(1).up = false;
    moves.forget();
    world.run(400, 5);
    moves.expect_only(own);
    EXPECT_GT(moves.of.size(), 40U);
    world.model(1).up = true;
    world.run(100, 2);  // until it is seen to be back
    moves.forget();
    world.run(400, 10);
    moves.expect_only({});
    world.finish();
    EXPECT_EQ(world.refused(), 0);
  });
}

TEST(Drain, leaves_a_member_to_its_sessions_until_it_fails_or_serves_again) {
  for_all([](const PolicyTraits& policy, std::uint64_t seed) {
    if (!policy.by_plan) return;  // lbmethod=heartbeat does not know N (httpd)
    World world(group_of_five(policy), {5, {0.01, 1000}}, seed);
    Moves moves(world);
    world.client = people();
    world.key = any_key;
    world.run(400, 10);
    EXPECT_EQ(moves.stand_ins, 0);
    change(world, 1, Flag::draining, {});
    moves.forget();
    world.run(400, 5);
    EXPECT_EQ(moves.newcomers_at_1, 0);
    EXPECT_GT(moves.sessions_at_1, 200);
    EXPECT_GT(moves.stand_ins, 20);
    moves.expect_only({});
    const auto own = moves.clients_of_1();
    world.model(1).up = false;
    moves.forget();
    world.run(400, 2);
    world.model(1).up = true;
    EXPECT_EQ(moves.newcomers_at_1, 0);
    moves.expect_only(own);
    change(world, 1, {}, Flag::draining);
    world.run(400, 3);
    moves.forget();
    world.run(400, 10);
    moves.expect_only({});
    EXPECT_GT(moves.newcomers_at_1, 0);
    world.finish();
    EXPECT_EQ(world.refused(), 0);
  });
}

}  // namespace
}  // namespace steelyard::sim
