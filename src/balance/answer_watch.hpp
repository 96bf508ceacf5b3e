// Which answers of a member count as its failures: failonstatus= and failontimeout=.
//
// Threads: any; read for every answer, so without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "balance/spec.hpp"
#include "base/check.hpp"

namespace steelyard::balance {

class AnswerWatch {
 public:
  void adopt(const BalancerSpec& spec) {
    std::array<std::uint64_t, 8> bits{};
    for (const int status : spec.fail_on_status) {
      CHECK(is_in_range(status));
      const auto bit = static_cast<unsigned>(status - status_min);
      bits[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    for (std::size_t word = 0; word < bits.size(); ++word) {
      statuses_[word].store(bits[word], std::memory_order_relaxed);
    }
    timeouts_.store(spec.fail_on_timeout.value_or(false), std::memory_order_relaxed);
  }

  [[nodiscard]] bool fails(int status) const {
    if (!is_in_range(status)) return false;
    const auto bit = static_cast<unsigned>(status - status_min);
    return ((statuses_[bit / 64].load(std::memory_order_relaxed) >> (bit % 64)) & 1) != 0;
  }

  [[nodiscard]] bool timeouts_fail() const { return timeouts_.load(std::memory_order_relaxed); }

 private:
  static constexpr int status_min = 100;
  static constexpr int status_max = 599;
  static bool is_in_range(int status) { return status >= status_min && status <= status_max; }

  std::array<std::atomic<std::uint64_t>, 8> statuses_{};  // one bit a status
  std::atomic<bool> timeouts_ = false;
};

}  // namespace steelyard::balance
