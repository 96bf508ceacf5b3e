// The addresses of one member's name. Whoever looks names up replaces the list as a whole; who
// connects takes the list there is, and who reuses a connection compares one number.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.hpp"

namespace steelyard::balance {

// Never empty, never written again.
using AddressList = std::shared_ptr<const std::vector<IpAddress>>;

class KnownAddresses {
 public:
  // Changes with the list; 0: there never was one.
  [[nodiscard]] std::uint32_t version() const { return version_.load(std::memory_order_acquire); }
  // nullptr: none yet. For each new connection; it costs a lock that nobody holds for long.
  [[nodiscard]] AddressList list() const {
    const std::lock_guard guard(lock_);
    return list_;
  }
  [[nodiscard]] bool holds(const IpAddress& address) const {
    const AddressList now = list();
    return now != nullptr && std::ranges::find(*now, address) != now->end();
  }
  // Why there is no list, for people; empty: there is one, or nobody looked yet.
  [[nodiscard]] std::string fault() const {
    const std::lock_guard guard(lock_);
    return fault_;
  }
  void set_fault(std::string fault) {
    const std::lock_guard guard(lock_);
    fault_ = std::move(fault);
  }
  void replace(AddressList list) {
    const std::lock_guard guard(lock_);
    fault_.clear();
    list_ = std::move(list);
    version_.fetch_add(1, std::memory_order_release);
  }

 private:
  mutable std::mutex lock_;
  AddressList list_;
  std::string fault_;
  std::atomic<std::uint32_t> version_ = 0;
};

}  // namespace steelyard::balance
