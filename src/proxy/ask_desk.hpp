#pragma once

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/request_body.hpp"

// SetHandler of a page that a desk answers (desk.hpp).

namespace steelyard::proxy {

// Reads what counts of the body, asks the desk and sleeps until it has answered. Threads: the
// shard's.
io::Task<LocalAnswer> ask_desk(Exchange& x, Shard::Core& core, ClientSide client,
                               RequestBody& body);

}  // namespace steelyard::proxy
