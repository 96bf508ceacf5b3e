#pragma once

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/request_body.hpp"
#include "proxy/router.hpp"

// TRACE that ends here: the client is shown what arrived (RFC 9110 9.3.8), with `TraceEnable
// extended` its body, too.
//
// Threads: the shard's.

namespace steelyard::proxy {

// For a request that nobody else is asked about, or that may go no further (Max-Forwards).
Routing answer_trace(const Exchange& x, Shard::Core& core);

// For one that goes on to a backend; status 0: it may.
int refuse_proxied_trace(const Exchange& x, Shard::Core& core);

// Routing::Kind::echo. Reads the body.
io::Task<LocalAnswer> echo_request(Exchange& x, Shard::Core& core, ClientSide client,
                                   RequestBody& body);

}  // namespace steelyard::proxy
