// The last hour of one member or balancer, in steps, and its last minute in detail.
//
//   looks, a second apart or more ─▶ [ last 5 s ]      rates "now"
//                                 └─▶ [ 10 s step ] ─▶ [ 6 steps ]   latency and errors of the last
//                                 minute
//                                                   └─▶ [ 360 steps ]  charts
//
// About 10 KiB each, once it has an hour to tell.
//
// Threads: a value.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "manage/rates.hpp"

namespace steelyard::manage {

class Story {
 public:
  static constexpr Duration step_length = std::chrono::seconds(10);
  static constexpr std::size_t steps_max = 360;

  struct Step {
    float requests = 0, errors = 0;  // a second
    float p50_ms = -1, p99_ms = -1;  // -1: nothing was measured
    std::uint32_t in_flight = 0;     // at its end
  };

  // What happened since the last call.
  void add(const Amount& amount);
  void end_step(std::uint32_t in_flight);
  // Before the first step: so many passed without anything to tell.
  void begin_with_empty(std::size_t steps);

  // Of the last seconds; of a longer time if nobody looked that often.
  [[nodiscard]] Amount now() const;
  // Of the last minute.
  [[nodiscard]] Amount minute() const;
  // Oldest first, at most steps_max.
  [[nodiscard]] std::vector<Step> steps() const;

 private:
  static constexpr Duration now_length = std::chrono::seconds(5);
  static constexpr std::size_t minute_steps = 6;

  std::deque<Amount> looks_;
  std::deque<Amount> minute_;
  Amount step_;
  std::vector<Step> ring_;  // grows to steps_max, then next_ goes round
  std::size_t next_ = 0;
};

}  // namespace steelyard::manage
