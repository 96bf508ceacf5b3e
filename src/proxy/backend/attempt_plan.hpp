#pragma once

#include <optional>

#include "config/forward_proxy.hpp"
#include "proxy/backend/http1_request.hpp"
#include "proxy/core.hpp"

// Which member an attempt asks, for what, and how long it waits. Threads: the shard's.

namespace steelyard::proxy {

struct AttemptTimes {
  Duration backend;  // `timeout`, ProxyTimeout, Timeout
  Duration connect;
  Duration client;  // Timeout
  Duration tunnel;  // `tunneltimeout`, or the longer of those two
  std::optional<Duration> ping;
  std::optional<Duration> acquire;
};

AttemptTimes times_for(const Exchange& x, const balance::MemberSpec& spec);

struct AttemptPlan {
  balance::Balancer& balancer;
  const balance::Lease& lease;  // outlives the attempt
  BackendTarget target;
  AttemptTimes times;
  bool reuses = true;  // the connection may come from the pool and go back to it
  bool repeats =
      false;  // what was sent of the body is kept: another member may be asked (repeaton=)
  bool transient = false;  // the member exists for this exchange only: no pool, no limit
  const config::RemoteProxy* remote = nullptr;  // connected to instead of the member
};

}  // namespace steelyard::proxy
