// Waiting for a member of a balancer that has none to offer (timeout=). Threads: one a turn.
#pragma once

#include <chrono>

namespace steelyard::balance {

class Balancer;

// The right to wait for a usable member, given to one exchange at a time: others fail at once
// meanwhile, as with httpd. Try again every step(), at most `tries` times.
class WaitTurn {
 public:
  static constexpr int tries = 100;

  WaitTurn(WaitTurn&& other) noexcept;
  WaitTurn& operator=(WaitTurn&& other) = delete;
  ~WaitTurn();
  [[nodiscard]] std::chrono::milliseconds step() const { return step_; }

 private:
  friend class Balancer;
  WaitTurn(Balancer* balancer, std::chrono::milliseconds step) : balancer_(balancer), step_(step) {}
  Balancer* balancer_;
  std::chrono::milliseconds step_;
};

}  // namespace steelyard::balance
