#pragma once

#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/forward.hpp"

// CONNECT (RFC 9110 9.3.6; httpd: mod_proxy_connect): a connection to the place that the client
// names, on ports that AllowCONNECT has; then bytes pass both ways until both ends are through.
// Over HTTP/2 (RFC 9113 8.5) the same, on a stream; what breaks there resets the other side.
//
// Threads: the shard's.

namespace steelyard::proxy {

// The router let it pass. Whatever came behind the head is the tunnel's.
io::Task<ForwardEnd> connect_elsewhere(Exchange& x, Shard::Core& core, ClientSide client);

}  // namespace steelyard::proxy
