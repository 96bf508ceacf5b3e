// Several threads choose, report and reload at once. Meant for ThreadSanitizer; the sums are
// checked in every build.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <semaphore>
#include <span>
#include <thread>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

constexpr int choosers = 4;
constexpr int requests_each = 4000;

struct Tally {
  std::uint64_t picked = 0;
  std::uint64_t refused = 0;
};

Tally run_exchanges(Group& group, int thread) {
  Tally tally;
  std::vector<Lease> held;
  Session session;
  session.found = true;
  session.tag = "r2";
  for (int i = 0; i < requests_each; ++i) {
    const std::string key = "client" + std::to_string(i % 100);
    ChoiceRequest request{.session = {}, .now = group.now + milliseconds(i), .key = key};
    request.random =
        mixed(static_cast<std::uint64_t>(i) * choosers + static_cast<std::uint64_t>(thread));
    request.replayable = i % 2 == 0;
    std::vector<MemberRef> tried;
    if (i % 5 == 0 && !held.empty()) tried.emplace_back(&held.front().member());
    request.tried = tried;
    if (i % 3 == 0) request.session = session;
    Decision decision = group.balancer.choose(request);
    if (!decision.lease) {
      ++tally.refused;
      continue;
    }
    ++tally.picked;
    const bool fails = (i * 7 + thread) % 50 == 0;
    if (fails) {
      group.balancer.connect_failed(decision.lease, request.now);
      (void)group.balancer.may_try_another(decision.lease, 1);
    } else if (group.balancer.connected(decision.lease)) {
      if (i % 4 != 0) group.balancer.answer_began(decision.lease, request.now, 200);
      group.balancer.observe_latency(decision.lease, milliseconds(1 + i % 9), request.now);
      decision.lease.member().add_transferred(100);
      decision.lease.member().add_read(decision.lease.spec().load_factor);
      group.balancer.answer_status(decision.lease, request.now, i % 97 == 0 ? 503 : 200, false);
    }
    held.push_back(std::move(decision.lease));
    if (held.size() > 8) held.erase(held.begin() + i % 8);
  }
  return tally;
}

void expect_nobody_busy(Group& group) {
  for (const MemberView& view : group.balancer.members())
    EXPECT_EQ(view.busy, 0) << view.spec->name;
}

void expect_whole(Group& group) {
  expect_nobody_busy(group);
  std::int64_t credit = 0;
  for (const MemberView& view : group.balancer.members()) credit += view.credit;
  EXPECT_EQ(credit, 0);
}

TEST(Threads, counters_are_whole_when_all_exchanges_ended) {
  for (const PolicyTraits& policy : all_policies()) {
    Group group("a=r1 b=r2*2 c=r3,H d=r4@1 e=r5,R",
                "stickysession=sid failonstatus=503 lbmethod=" + std::string(policy.name));
    std::atomic<std::uint64_t> picked = 0;
    std::atomic<std::uint64_t> refused = 0;
    {
      std::vector<std::jthread> threads;
      threads.reserve(choosers);
      for (int thread = 0; thread < choosers; ++thread) {
        threads.emplace_back([&, thread] {
          const Tally tally = run_exchanges(group, thread);
          picked += tally.picked;
          refused += tally.refused;
        });
      }
    }
    EXPECT_EQ(picked + refused, std::uint64_t{choosers} * requests_each);
    std::uint64_t elected = 0;
    for (const MemberView& view : group.balancer.members()) elected += view.elected;
    EXPECT_EQ(elected, picked);
    expect_whole(group);
  }
}

TEST(Threads, members_that_come_back_slowly_leave_nobody_busy) {
  for (const PolicyTraits& policy : all_policies()) {
    Group group(
        "a=r1 b=r2*2 c=r3,H d=r4@1 e=r5,R",
        "failonstatus=503 slowstart=1 reentry=current lbmethod=" + std::string(policy.name));
    {
      std::vector<std::jthread> threads;
      threads.reserve(choosers);
      for (int thread = 0; thread < choosers; ++thread) {
        threads.emplace_back([&, thread] { run_exchanges(group, thread); });
      }
    }
    expect_nobody_busy(group);
  }
}

TEST(Threads, ejections_and_trials_leave_nobody_busy_or_on_trial) {
  for (const PolicyTraits& policy : all_policies()) {
    Group group("a=r1 b=r2*2 c=r3,H d=r4@1 e=r5,R",
                "stickysession=sid failonstatus=503 failcount=2/1 ejectslow=1.5/1 minactive=2 "
                "maxejected=100 lbmethod=" +
                    std::string(policy.name));
    {
      std::vector<std::jthread> threads;
      threads.reserve(choosers);
      for (int thread = 0; thread < choosers; ++thread) {
        threads.emplace_back([&, thread] { run_exchanges(group, thread); });
      }
    }
    expect_nobody_busy(group);
    for (const MemberView& view : group.balancer.members()) EXPECT_FALSE(view.on_trial);
  }
}

TEST(Threads, reloads_and_operators_do_not_disturb_running_exchanges) {
  Group group("a=r1 b=r2 c=r3", "stickysession=sid");
  std::atomic<int> running = choosers;
  {
    std::vector<std::jthread> threads;
    threads.reserve(choosers);
    for (int thread = 0; thread < choosers; ++thread) {
      threads.emplace_back([&, thread] {
        run_exchanges(group, thread);
        --running;
      });
    }
    const char* generations[] = {"b=r2*3 a=r1 d=r4", "a=r9 b=r2 c=r3", "c=r3 d=r4,D e=r2"};
    const char* parameters[] = {"stickysession=sid", "stickysession=sid failcount=2/5",
                                "stickysession=sid ejectslow=1.5/1", "stickysession=sid trial=On"};
    for (int i = 0; running > 0; ++i) {
      group.balancer.adopt(group_spec(generations[i % 3], parameters[i % 4]));
      for (const MemberView& view : group.balancer.members()) {
        group.balancer.change_status(view.member, Flag::draining, {});
        group.balancer.change_status(view.member, {}, Flag::draining);
      }
    }
  }
  for (const MemberView& view : group.balancer.members()) EXPECT_EQ(view.busy, 0);
}

TEST(Threads, one_exchange_waits_at_a_time) {
  Group group("a,D", "timeout=1");
  std::atomic<int> waiting = 0;
  std::atomic<int> turns = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(choosers);
    for (int thread = 0; thread < choosers; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          const auto turn = group.balancer.begin_wait();
          if (!turn) continue;
          EXPECT_EQ(++waiting, 1);
          ++turns;
          --waiting;
        }
      });
    }
  }
  EXPECT_GT(turns, 0);
}

// --- queue= --------------------------------------------------------------------------------------

enum class Patience : std::uint8_t { endless, short_of_one };

// One request: it is picked, waits in the line until it is, or leaves the line again. False: it was
// never called, though somebody's turn was over again and again.
bool stand_and_take(Group& group, Patience patience) {
  constexpr auto for_ever = std::chrono::seconds(30);
  // A member is kept until somebody waits for it, but not for ever: the others may be through.
  const auto use_member = [&] {
    for (int i = 0; i < 300 && !group.balancer.line().anyone_waits(); ++i)
      std::this_thread::yield();
    return true;
  };
  std::binary_semaphore called{0};
  WaitingLine::Place place(group.balancer.line(), [&] { called.release(); });
  ChoiceRequest request{.session = {}, .now = group.now};
  Decision decision = group.balancer.choose(request);
  if (decision.lease) return use_member();
  if (!place.step_in(1000)) return false;
  request.attempt = Attempt::in_line;
  while (true) {
    if (place.look() == WaitingLine::Standing::front) {
      decision = group.balancer.choose(request);
      if (decision.lease) break;
    }
    if (patience == Patience::short_of_one) return true;
    if (!called.try_acquire_for(for_ever)) return false;
  }
  place.step_out(WaitingLine::Next::called);
  return use_member();
}

// `disturb` is run again and again meanwhile.
void expect_nobody_forgotten(const std::function<void(Group&)>& disturb) {
  auto spec = group_spec("a b", "queue=1000/60");
  for (MemberSpec& member : spec->members) member.pool.connections_max = 1;
  Group group(spec);
  std::atomic<int> running = choosers * 2;
  std::atomic<int> forgotten = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(std::size_t{choosers} * 2);
    for (int thread = 0; thread < choosers * 2; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < requests_each / 8; ++i) {
          const bool leaves = (i + thread) % 7 == 0;
          const Patience patience = leaves ? Patience::short_of_one : Patience::endless;
          if (!stand_and_take(group, patience)) ++forgotten;
        }
        --running;
      });
    }
    while (disturb != nullptr && running > 0) disturb(group);
  }
  EXPECT_EQ(forgotten, 0);
  const LineCounters counters = group.balancer.line().counters();
  EXPECT_EQ(counters.waiting, 0U);
  EXPECT_GT(counters.served, 100U);
  expect_nobody_busy(group);
}

TEST(Threads, nobody_in_the_line_is_forgotten) { expect_nobody_forgotten(nullptr); }

TEST(Threads, nobody_in_the_line_is_forgotten_while_members_come_and_go) {
  const auto with_one_more = group_spec("a b c", "queue=1000/60");
  for (MemberSpec& member : with_one_more->members) member.pool.connections_max = 1;
  expect_nobody_forgotten([&](Group& group) {
    group.change("a", Flag::disabled);
    group.change("a", {}, Flag::disabled);
    group.balancer.adopt(with_one_more);
    auto spec = group.balancer.spec();
    auto fewer = std::make_shared<BalancerSpec>(*spec);
    fewer->members.pop_back();
    group.balancer.adopt(fewer);
  });
}

// Only the standby ever serves, and only when the member with the exchange that hangs goes: nothing
// but that change calls those who have come before.
TEST(Threads, nobody_in_the_line_is_forgotten_when_a_standby_takes_over) {
  constexpr int rounds = 300;
  auto spec = group_spec("a h,H", "queue=1000/60");
  for (MemberSpec& member : spec->members) member.pool.connections_max = 1;
  Group group(spec);
  const Decision hung = group.choose();
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> forgotten = 0;
    {
      std::vector<std::jthread> threads;
      threads.reserve(choosers);
      for (int thread = 0; thread < choosers; ++thread) {
        threads.emplace_back([&] {
          if (!stand_and_take(group, Patience::endless)) ++forgotten;
        });
      }
      for (int i = 0; i < round % 16; ++i) std::this_thread::yield();
      group.change("a", Flag::disabled);
    }
    ASSERT_EQ(forgotten, 0) << "round " << round;
    group.change("a", {}, Flag::disabled);
  }
}

}  // namespace
}  // namespace steelyard::balance
