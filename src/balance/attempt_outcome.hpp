// What became of a member by what an attempt met.
#pragma once

#include <cstdint>
#include <string>

#include "balance/lease.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// What the answer of a member did to it.
enum class AnswerMark : std::uint8_t { none, in_error_by_status, in_error_by_timeout };

// A member was ejected for being slow.
struct SlowEjection {
  MemberRef member;
  Duration lasts;
  std::string evidence;  // "median 310 ms, group 42 ms"
};

}  // namespace steelyard::balance
