// queue=: how many requests may wait for a member of the balancer, and for how long each.
#pragma once

#include <chrono>

namespace steelyard::balance {

struct QueueSpec {
  int requests_max = 0;                   // 1 to 100000; 0: Off
  std::chrono::milliseconds time_max{0};  // 1 ms to 1 h

  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};

}  // namespace steelyard::balance
