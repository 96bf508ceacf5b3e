#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/tls_settings.hpp"
#include "tls/files.hpp"
#include "tls/handles.hpp"
#include "tls/material.hpp"
#include "tls/staple.hpp"

// What one virtual host shows and asks for in a handshake: its certificates with their keys, its
// versions, ciphers, and whom it believes.
//
// Threads: any, once it is made.

namespace steelyard::tls {

struct ServerContext {
  std::shared_ptr<Staples> staples;  // with SSLUseStapling
  ContextHandle context;
  // Of everything that SSLVHostSNIPolicy compares: equal texts, equal rules.
  std::string certificates_text, rules_text, verification_text;
};

// `identity`: "name:port"; sessions of another one are not resumed.
std::expected<ServerContext, Faults> make_server_context(const config::TlsServerSettings& settings,
                                                         const config::TlsProcessSettings& process,
                                                         const std::string& identity,
                                                         Material& material);

// The bits of versions, in the library's words.
void set_versions(SSL_CTX& context, config::TlsVersions versions);
}  // namespace steelyard::tls
