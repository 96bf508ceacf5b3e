#pragma once

// Invariants that hold or the process stops: always on, also in release builds.
// A failed check prints the claim with its place and aborts; it is never a reaction to input.

namespace steelyard {

[[noreturn]] void check_failed(const char* claim, const char* file, int line);

}  // namespace steelyard

#define CHECK(claim)                                         \
  do {                                                       \
    if (!(claim)) [[unlikely]]                               \
      ::steelyard::check_failed(#claim, __FILE__, __LINE__); \
  } while (false)
