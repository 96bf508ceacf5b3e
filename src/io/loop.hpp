#pragma once

#include <functional>
#include <utility>

#include "base/time.hpp"
#include "io/timer.hpp"

// One thread's turn-taking: waits for events, wakes who waited, fires timers. The data path sees
// this interface only; io/linux has the real one, tests have a simulated one.
//
// Threads: everything but post() is for the loop's own thread.

namespace steelyard::io {

class Loop {
 public:
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  // Read once a turn; what the data path means by "now".
  Instant now() const { return now_; }
  WallTime wall_now() const { return wall_now_; }
  TimerWheel& timers() { return timers_; }

  using Job = std::function<void()>;
  // Runs the job on this loop, from any thread, in order of the calls.
  virtual void post(Job job) = 0;
  // Runs the job at the end of the current turn; for what must not happen inside a callback.
  virtual void defer(Job job) = 0;
  // Runs the job at the end of every turn, before what a stream holds back is sent (handing over
  // what the turn collected).
  void at_turn_end(Job job) { turn_end_ = std::move(job); }

 protected:
  explicit Loop(Instant now, WallTime wall) : now_(now), wall_now_(wall), timers_(now) {}
  Instant now_;
  WallTime wall_now_;
  TimerWheel timers_;
  Job turn_end_;
};

}  // namespace steelyard::io
