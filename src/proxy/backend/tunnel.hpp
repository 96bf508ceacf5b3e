#pragma once

#include "balance/balancer.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"

// Two peers talk past us, after a 101 (Switching Protocols) or a CONNECT: bytes are passed on in
// both directions until both ended or the line was idle for too long. All of them count: in the
// access log (httpd: %I, %O) and for the member (bytraffic).
//
// Threads: the shard's.

namespace steelyard::proxy {

// Before run(): `to_client` is the first that the client gets, `to_member` the first that the
// member gets; what the client said behind its head follows. The client's connection serves nothing
// else afterwards.
void open_tunnel(Exchange& x, Workspace& workspace, std::string_view to_client,
                 std::string_view to_member = {});

class Tunnel {
 public:
  // All outlive the tunnel.
  Tunnel(Exchange& x, Shard::Core& core, const ClientSide& client, io::Stream& stream,
         balance::Member& member)
      : x_(x), core_(core), client_(client), stream_(stream), member_(member) {}
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  io::Task<> run(Duration idle_max);

 private:
  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  io::Stream& stream_;
  balance::Member& member_;
};

}  // namespace steelyard::proxy
