#include "proxy/backend/attempt_plan.hpp"

#include <algorithm>

namespace steelyard::proxy {

AttemptTimes times_for(const Exchange& x, const balance::MemberSpec& spec) {
  AttemptTimes times;
  times.client = x.server->client.timeout;
  times.backend =
      spec.timeout ? Duration(*spec.timeout) : x.server->proxy.timeout.value_or(times.client);
  times.connect = spec.connection_timeout ? Duration(*spec.connection_timeout) : times.backend;
  times.tunnel =
      spec.tunnel_idle ? Duration(*spec.tunnel_idle) : std::max(times.client, times.backend);
  if (spec.ping) times.ping = *spec.ping;
  if (spec.pool.acquire_wait) times.acquire = *spec.pool.acquire_wait;
  return times;
}

}  // namespace steelyard::proxy
