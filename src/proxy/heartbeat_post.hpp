#pragma once

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/request_body.hpp"

// SetHandler heartbeat: a server tells of its load by POST. Who may do that is up to Require.

namespace steelyard::proxy {

// Reads what counts of the body and notes what it says for the client's address. Threads: the
// shard's.
io::Task<LocalAnswer> take_heartbeat(Exchange& x, Shard::Core& core, ClientSide client,
                                     RequestBody& body);

}  // namespace steelyard::proxy
