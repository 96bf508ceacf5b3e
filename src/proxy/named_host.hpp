#pragma once

#include <optional>
#include <string_view>

#include "proxy/router.hpp"

// Whether a request fits the host that its client named in the TLS handshake (httpd: AH02031 to
// AH02033; RFC 6066 3, RFC 9110 15.5.20), and that handshake what is asked of clients now.

namespace steelyard::proxy {

// Set where nothing more is served on the connection: a client gets by another one what it asked
// for.
inline constexpr std::string_view outdated_note = "connection-outdated";

// Of an exchange over TLS, once its virtual host is chosen. A value: the answer, and nothing else.
std::optional<Routing> check_named_host(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
