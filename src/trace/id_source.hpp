#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "trace/context.hpp"

// Ids of traces and spans: xoshiro256++ (Blackman and Vigna, 2019), whose 256 bits of state make it
// improbable that two shards or two servers ever give the same one. They are no secrets.
//
// Invariant: no id is zero.
// Threads: one owner.

namespace steelyard::trace {

class IdSource {
 public:
  using Seed = std::array<std::uint64_t, 4>;
  // Of the system's random bytes; a seed of zeros would give nothing else.
  explicit IdSource(const Seed& seed) : state_(seed) {
    if (seed == Seed{}) state_[0] = 1;
  }

  TraceId next_trace() { return {next_not_zero(), next()}; }
  SpanId next_span() { return next_not_zero(); }
  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::uint64_t next_not_zero() {
    while (true) {
      if (const std::uint64_t number = next(); number != 0) return number;
    }
  }

  Seed state_;
};

}  // namespace steelyard::trace
