// How members stand, for people and clients who got none: in words, and in seconds.
//
// Pure; reads the members' health logs, which have locks of their own. Threads: any.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "balance/member_view.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// Why the member takes no further request now, every reason there is: "in error for 12 s more:
// connection refused", "health checks failed: answered 500", "disabled", "all 10 connections in use
// (max=)". "usable" when there is none.
std::string standing_reason(const MemberView& view, Instant now);

// When it may be worth asking again, for Retry-After: at the end of the first error, after the next
// check of a member in need of one, in a second when a member is only at its max=. Whole seconds,
// rounded up, from 1 to 300; 30 when nothing tells.
class WaitAdvice {
 public:
  explicit WaitAdvice(Instant now) : now_(now) {}
  // `error_ends` counts for a member in error, `next_check` for one in need of a check.
  void consider(Status status, Instant error_ends, std::optional<Instant> next_check);
  [[nodiscard]] std::chrono::seconds seconds() const;

 private:
  void consider(Instant when);

  const Instant now_;
  std::optional<std::chrono::seconds> first_;
};
// Whether it is worth knowing when the member is checked next.
[[nodiscard]] inline bool needs_check(Status status) {
  return status.any(Flag::in_error | Flag::health_failed);
}

}  // namespace steelyard::balance
