#pragma once

#include <atomic>
#include <cstdint>

// Numbers that one thread writes and any thread may read: an addition is a plain load and store, so
// that counting costs the data path next to nothing. Numbers of several threads are added up by
// who reads them.
//
// Threads: add() and set() are one thread's; value() is anybody's.

namespace steelyard {

// Of what happened: it only grows.
class Counter {
 public:
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Of what there is now.
class Gauge {
 public:
  void add(std::int64_t more) { set(value() + more); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

}  // namespace steelyard
