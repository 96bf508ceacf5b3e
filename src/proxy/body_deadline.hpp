#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "proxy/exchange.hpp"

namespace steelyard::proxy {

// For how long this client may neither say nor take anything while it is waited for: Timeout, or
// H2StreamTimeout in a stream of HTTP/2 (mod_http2 makes it the timeout of the stream's
// connection).
Duration client_patience(const Exchange& x);

// Until when more of a request's body has to come: RequestReadTimeout's time for all of it so far,
// and the client's patience for the next bytes.
Instant body_deadline(const Exchange& x, Instant began, std::uint64_t received, Instant now);

}  // namespace steelyard::proxy
