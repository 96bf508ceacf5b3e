#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/ip.hpp"

// Who waits for a check, in turns by address: whoever tries a thousand passwords waits for their
// own, and the next client for one of them.
//
// Threads: one at a time.

namespace steelyard::auth {

template <class Job>
class Line {
 public:
  static constexpr std::size_t jobs_max = 1024;
  static constexpr std::size_t jobs_of_address_max = 256;

  // False: the line is full, for this address or for all.
  bool add(const IpAddress& address, Job job) {
    const IpAddress from = network_of(address);
    std::deque<Job>& own = waiting_[from];
    const bool is_full = count_ >= jobs_max || own.size() >= jobs_of_address_max;
    if (own.empty() && !is_full) turns_.push_back(from);
    if (own.empty() && is_full) waiting_.erase(from);
    if (is_full) return false;
    own.push_back(std::move(job));
    ++count_;
    return true;
  }

  // The oldest of the address whose turn it is.
  std::optional<Job> next() {
    if (turns_.empty()) return std::nullopt;
    const IpAddress from = turns_.front();
    turns_.pop_front();
    const auto found = waiting_.find(from);
    Job job = std::move(found->second.front());
    found->second.pop_front();
    --count_;
    if (found->second.empty()) {
      waiting_.erase(found);
    } else {
      turns_.push_back(from);
    }
    return job;
  }

  std::size_t size() const { return count_; }

 private:
  // Whoever has one address of a /64 has all of them.
  static IpAddress network_of(const IpAddress& address) {
    if (!address.is_v6()) return address;
    std::array<std::uint8_t, 16> bytes = address.bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return IpAddress::v6(bytes);
  }

  std::map<IpAddress, std::deque<Job>> waiting_;
  std::deque<IpAddress> turns_;  // each address of `waiting_` once
  std::size_t count_ = 0;
};

}  // namespace steelyard::auth
