// What requests change about members without the balancer's lock. Threads: any, by atomics.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balance/latency.hpp"
#include "balance/waiting_line.hpp"

namespace steelyard::balance {

struct Traffic {
  std::atomic<std::int64_t> transferred_bytes = 0;  // to the backend
  std::atomic<std::int64_t> read_bytes = 0;         // from the backend

  [[nodiscard]] std::int64_t all_bytes() const {
    return transferred_bytes.load(std::memory_order_relaxed) +
           read_bytes.load(std::memory_order_relaxed);
  }
};

// Members that came in one generation share a block, in configuration order, so that a policy that
// reads all of them runs over consecutive memory.
struct CounterBlock {
  explicit CounterBlock(std::size_t members) : busy(members), traffic(members), latency(members) {}
  std::vector<std::atomic<int>> busy;
  std::vector<Traffic> traffic;
  std::vector<Latency> latency;
};

// What the members of a balancer have in common.
struct Commons {
  // Live leases of all of them, for policies that compare with the group's load. Only leases that
  // such a policy gave out are in it: others would pay for a word that every shard writes.
  std::atomic<std::int64_t> live_leases = 0;
  WaitingLine line;
};
enum class InTotal : std::uint8_t { no, yes };

// Whether the line is told of a lease's end: when there is a line (queue=) and the member has a
// max=, it may be what all wait for.
enum class EndIsTold : std::uint8_t { no, yes };

}  // namespace steelyard::balance
