#pragma once

#include <openssl/types.h>

#include <optional>
#include <string_view>

#include "base/arena.hpp"
#include "base/time.hpp"
#include "config/tls_settings.hpp"

// mod_ssl's variables of a connection.
//
// Threads: the connection's.

namespace steelyard::tls {

struct VariableContext {
  config::TlsOptions options;  // SSLOptions where the request goes
  WallTime now{};
};

// "SSL_PROTOCOL", "SSL_CLIENT_S_DN_CN", ...; in any case. The text lives as long as the arena's or
// the connection's. No value: the connection has none, or there is no such variable.
std::optional<std::string_view> variable(SSL* ssl, std::string_view name,
                                         const VariableContext& context, Arena& arena);

}  // namespace steelyard::tls
