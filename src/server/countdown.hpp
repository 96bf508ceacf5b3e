#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

// Counts down to zero; one thread waits for that.

namespace steelyard::server {

class Countdown {
 public:
  explicit Countdown(std::size_t count) : left_(count) {}
  void count_down() {
    const std::lock_guard guard(lock_);
    if (--left_ == 0) zero_.notify_all();
  }
  void wait() {
    std::unique_lock guard(lock_);
    zero_.wait(guard, [this] { return left_ == 0; });
  }

 private:
  std::mutex lock_;  // guards left_
  std::condition_variable zero_;
  std::size_t left_;
};

}  // namespace steelyard::server
