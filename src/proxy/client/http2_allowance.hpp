#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.hpp"

// How much of something a client may do: so much at once, and so much more each second.
//
// Threads: a value's owner.

namespace steelyard::proxy {

class Http2Allowance {
 public:
  Http2Allowance(std::uint32_t at_once, std::uint32_t a_second, Instant now)
      : most_(at_once), a_second_(a_second), left_(at_once), since_(now) {}

  // False: that was too much.
  bool spend(Instant now) {
    const double passed = std::chrono::duration<double>(now - since_).count();
    since_ = now;
    left_ = std::min<double>(most_, left_ + passed * a_second_);
    left_ -= 1;
    return left_ >= 0;
  }
  // For what it did that was of use.
  void earn() { left_ = std::min<double>(most_, left_ + 1); }

 private:
  double most_, a_second_, left_;
  Instant since_;
};

}  // namespace steelyard::proxy
