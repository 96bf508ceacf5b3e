#pragma once

#include <optional>

#include "proxy/router.hpp"

// Whether a request fits the host that its client named in the TLS handshake (httpd: AH02031 to
// AH02033; RFC 6066 3, RFC 9110 15.5.20).

namespace steelyard::proxy {

// Of an exchange over TLS, once its virtual host is chosen. A value: the answer, and nothing else.
std::optional<Routing> check_named_host(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
