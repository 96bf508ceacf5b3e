#pragma once

#include <optional>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/request_body.hpp"
#include "proxy/router.hpp"

// What the path of a request asks of the connection that it came on, and the handshake that the
// client is asked for where the first one did not see to it (httpd: ssl_hook_Access).
//
// Threads: the shard's.

namespace steelyard::proxy {

// As mod_http2 calls it: why a stream has to be repeated over HTTP/1.1.
inline constexpr std::string_view renegotiation_note = "ssl-renegotiate-forbidden";

// Nothing: the connection is good for the path.
std::optional<Routing> heed_client_wish(Exchange& x, Shard::Core& core);

// After Routing::Kind::needs_handshake. The rest of the routing, or the refusal.
io::Task<Routing> ask_client(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body);

}  // namespace steelyard::proxy
