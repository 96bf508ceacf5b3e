#pragma once

#include "proxy/exchange.hpp"

// mod_ssl's variables in an exchange's environment. They count more than what SetEnvIf, rules and
// SetEnv say (httpd: its fixup sets them over these), or a client could say who it is.
// Exchange::variable() works each out when somebody asks; who needs them all has them written down.
//
// Threads: the shard's.

namespace steelyard::proxy {

// From then on they are variables like any other: what is set later counts.
void write_tls_environment(Exchange& x);

}  // namespace steelyard::proxy
