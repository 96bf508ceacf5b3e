#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/tls_settings.hpp"
#include "expr/ssl_requirement.hpp"

// What a path asks of the connection that a request for it came on (httpd: the SSL lines of context
// "directory"). Where the first handshake did not ask for it, there is another one.
//
// Threads: values.

namespace steelyard::config {

struct PathTls {
  std::optional<PeerVerify> verify;           // SSLVerifyClient
  std::optional<std::uint8_t> verify_depth;   // SSLVerifyDepth
  std::optional<std::string> ciphers;         // SSLCipherSuite, up to TLS 1.2
  std::optional<std::uint64_t> buffer_bytes;  // SSLRenegBufferSize
  std::optional<std::string> user_name;       // SSLUserName: the variable that names the user
  std::vector<std::shared_ptr<const expr::SslRequirement>> requirements;  // SSLRequire: all of them

  static constexpr std::uint64_t buffer_bytes_usual = 128 * 1024;
};

inline PathTls merge(const PathTls& outer, const PathTls& inner) {
  PathTls merged = outer;
  if (inner.verify) merged.verify = inner.verify;
  if (inner.verify_depth) merged.verify_depth = inner.verify_depth;
  if (inner.ciphers) merged.ciphers = inner.ciphers;
  if (inner.buffer_bytes) merged.buffer_bytes = inner.buffer_bytes;
  if (inner.user_name) merged.user_name = inner.user_name;
  for (const auto& requirement : inner.requirements) merged.requirements.push_back(requirement);
  return merged;
}

}  // namespace steelyard::config
