#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/backend/attempt_plan.hpp"

// Other proxies on the way to a member or to a place that the client named (ProxyRemote, NoProxy).
// Those that the URL matches are asked in their order, then the place itself (httpd).
//
// Threads: the shard's.

namespace steelyard::proxy {

class Detour {
 public:
  // Whom to connect to for the URL; null: the place itself. `x.server->proxy.forward` is there.
  // The name of the client's host may have to be looked up for NoProxy.
  io::Task<const config::RemoteProxy*> next(const Exchange& x, Shard::Core& core,
                                            std::string_view url);

 private:
  std::size_t asked_ = 0;  // so many of the server's remotes are behind us
  bool decided_ = false, direct_ = false;
};

// Lays the plan's way through the next proxy, if there is one for it.
io::Task<> take_detour(Exchange& x, Shard::Core& core, Detour& detour, AttemptPlan& plan);

// httpd: a proxy that could not do it is not the last that is asked, unless it got a body. What
// follows is the same attempt.
bool goes_another_way(Exchange& x, Shard::Core& core, const AttemptPlan& plan,
                      const Failure& failure, int& attempts);

}  // namespace steelyard::proxy
