#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"

// Deadlines by the thousand. A Timer lives in the object that waits; moving its deadline further
// away is one write to a field. The wheel looks at a timer when the slot it lies in comes round:
// if the deadline has moved on meanwhile, the timer is laid into a later slot.
//
//   slot:  now ........ horizon (slot_count * slot_width), farther deadlines lie in the last slot
//
// Invariants: 1. a timer never fires before its deadline, and at most one slot width after it
//                (when the loop turns in time).
//             2. destroying a timer takes it out of the wheel.
// Threads: the loop's.

namespace steelyard::io {

class TimerWheel;

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  void arm(TimerWheel& wheel, Instant deadline);
  void disarm() { deadline_ = never; }
  Instant deadline() const { return deadline_; }

 protected:
  // The deadline has passed; the timer is disarmed and may be armed again.
  virtual void expired() = 0;

 private:
  friend class TimerWheel;
  void unlink();

  Instant deadline_ = never;
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this timer; nullptr: in no slot
  std::uint64_t tick_ = 0;  // absolute number of the slot it lies in
};

class TimerWheel {
 public:
  static constexpr Duration slot_width = std::chrono::milliseconds(4);
  static constexpr std::size_t slot_count = 1024;

  explicit TimerWheel(Instant now);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires what is due at `now`.
  void turn(Instant now);
  // When turn() has something to look at next; `never` when no timer lies in the wheel.
  Instant next_look() const;

 private:
  friend class Timer;
  void lay(Timer& timer);
  std::uint64_t tick_of(Instant when) const;

  Instant start_;
  std::uint64_t current_ = 0;  // all slots before this tick are done
  std::array<Timer*, slot_count> slots_{};
  std::array<std::uint64_t, slot_count / 64> occupied_{};
};

}  // namespace steelyard::io
