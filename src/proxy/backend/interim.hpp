#pragma once

#include <optional>

#include "proxy/client_side.hpp"
#include "proxy/failure.hpp"

// Interim answers (1xx) of members. Threads: the shard's.

namespace steelyard::proxy {

// Passes x.response, an interim one, on to a client that may have it, and clears it. `count`: of
// the request, so far. A failure: the client is gone, or it was one too many (httpd).
std::optional<Failure> pass_interim(Exchange& x, const ClientSide& client, int& count);

}  // namespace steelyard::proxy
