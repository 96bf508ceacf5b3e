// How members stand, for people and clients who got none: in words, and in seconds.
//
// Pure; reads the members' health logs, which have locks of their own. Threads: any.
#pragma once

#include <chrono>
#include <span>
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
std::chrono::seconds advised_wait(std::span<const MemberView> members, Instant now);

}  // namespace steelyard::balance
