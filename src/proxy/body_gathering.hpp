#pragma once

#include <cstdint>
#include <string_view>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"
#include "proxy/request_body.hpp"

// A request's body before it is sent on: kept, so that an attempt waits for its client no more.

namespace steelyard::proxy {

struct Gathering {
  std::uint64_t bytes = 0;  // enough; all that is kept has room somewhere (RequestBody::Limits)
  Instant began{};          // RequestReadTimeout counts from here
  bool asks = false;        // the client waits for leave to send (Expect: 100-continue)
};

// Until the body is over or so many bytes of it were received.
io::Task<Failure> gather_body(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body,
                              Gathering wanted);

// Half an interim answer would garble the final one; a client that reads nothing loses: false.
bool tell_client(Exchange& x, const ClientSide& client, std::string_view text);

}  // namespace steelyard::proxy
