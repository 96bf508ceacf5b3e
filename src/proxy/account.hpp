#pragma once

#include <optional>

#include "proxy/core.hpp"

// The end of an attempt and of an exchange in the counters: one call each. Threads: the shard's.

namespace steelyard::proxy {

struct AttemptEnd {
  balance::Reason reason = balance::Reason::none;  // why the member was picked
  int status = 0;                                  // of the member's final answer; 0: none came
  Duration took;                                   // since the member was picked
  const Failure& failure;
  std::optional<ResendProof> sent_again;  // the request had been sent before
};
void account_attempt(MemberCells& cells, const AttemptEnd& end);

void account_exchange(const Exchange& x, ServerCells& server, ShardCells& shard);

}  // namespace steelyard::proxy
