#include "io/timer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace steelyard::io {
namespace {

class Probe final : public Timer {
 public:
  int fired = 0;
  Instant due{};
  const Instant* clock = nullptr;

 private:
  void expired() override {
    ++fired;
    EXPECT_GE(*clock, due);
  }
};

TEST(TimerWheel, a_timer_fires_once_and_not_before_its_time) {
  const Instant start{};
  Instant now = start;
  TimerWheel wheel(now);
  Probe probe;
  probe.clock = &now;
  probe.due = now + std::chrono::milliseconds(50);
  probe.arm(wheel, probe.due);
  for (int ms = 0; ms <= 200; ++ms) {
    now = start + std::chrono::milliseconds(ms);
    wheel.turn(now);
    EXPECT_EQ(probe.fired, ms >= 56 ? 1 : probe.fired) << ms;
    if (ms < 50) EXPECT_EQ(probe.fired, 0);
  }
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, moving_a_deadline_away_delays_and_nearer_hastens) {
  const Instant start{};
  Instant now = start;
  TimerWheel wheel(now);
  Probe later, sooner;
  later.clock = sooner.clock = &now;
  later.arm(wheel, start + std::chrono::milliseconds(20));
  later.arm(wheel, later.due = start + std::chrono::milliseconds(500));
  sooner.arm(wheel, start + std::chrono::seconds(60));
  sooner.arm(wheel, sooner.due = start + std::chrono::milliseconds(40));
  wheel.turn(now = start + std::chrono::milliseconds(100));
  EXPECT_EQ(later.fired, 0);
  EXPECT_EQ(sooner.fired, 1);
  wheel.turn(now = start + std::chrono::milliseconds(510));
  EXPECT_EQ(later.fired, 1);
}

TEST(TimerWheel, a_disarmed_or_destroyed_timer_never_fires) {
  const Instant start{};
  Instant now = start;
  TimerWheel wheel(now);
  Probe disarmed;
  disarmed.clock = &now;
  disarmed.arm(wheel, start + std::chrono::milliseconds(10));
  disarmed.disarm();
  {
    Probe destroyed;
    destroyed.clock = &now;
    destroyed.arm(wheel, start + std::chrono::milliseconds(10));
  }
  wheel.turn(now = start + std::chrono::seconds(1));
  EXPECT_EQ(disarmed.fired, 0);
}

TEST(TimerWheel, the_next_look_is_never_after_the_first_deadline) {
  std::mt19937 random(7);
  const Instant start{};
  Instant now = start;
  TimerWheel wheel(now);
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 500; ++i) {
    probes.push_back(std::make_unique<Probe>());
    Probe& probe = *probes.back();
    probe.clock = &now;
    probe.due = start + std::chrono::milliseconds(random() % 20000);
    probe.arm(wheel, probe.due);
  }
  while (true) {
    const Instant look = wheel.next_look();
    if (look == never) break;
    Instant first = never;
    for (const auto& probe : probes)
      if (probe->fired == 0) first = std::min(first, probe->due);
    EXPECT_LE(look, first + TimerWheel::slot_width);
    wheel.turn(now = std::max(look, now));
    for (const auto& probe : probes) {
      if (probe->fired == 0) EXPECT_GT(probe->due + TimerWheel::slot_width, now);
    }
  }
  for (const auto& probe : probes) EXPECT_EQ(probe->fired, 1);
}

}  // namespace
}  // namespace steelyard::io
