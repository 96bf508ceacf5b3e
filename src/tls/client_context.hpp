#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "config/tls_settings.hpp"
#include "tls/files.hpp"
#include "tls/handles.hpp"
#include "tls/material.hpp"
#include "tls/stream.hpp"

// How members of one section or server are spoken to: what is believed, shown and checked.
//
// Threads: any, once it is made; the sessions that it keeps have a lock of their own.

namespace steelyard::tls {

class ClientContext {
 public:
  // `settings`: complete, with what counts around them.
  static std::expected<std::shared_ptr<const ClientContext>, Faults> make(
      const config::TlsBackendSettings& settings, Material& material, bool kernel_encrypts = false);
  // The client's end of a connection to `host`, a name or an address without brackets. Names are
  // told to the member (SNI), addresses are not (RFC 6066 3). `peer` names the member: sessions of
  // one are not offered to another. `protocol`: the only one that is offered (ALPN, RFC 7301);
  // empty: none is.
  std::unique_ptr<TlsStream> connect(std::unique_ptr<io::Stream> below, const std::string& host,
                                     const std::string& peer, std::string_view protocol = {}) const;
  // Equal texts: the same settings, and the same files behind them.
  const std::string& identity() const { return identity_; }
  // After the handshake: what is wrong with the certificate; empty: nothing.
  std::string objection(SSL* ssl, const std::string& host) const;

 private:
  class Sessions;
  ClientContext() = default;

  config::TlsBackendSettings settings_;
  std::string identity_;
  bool kernel_encrypts_ = false;
  ContextHandle context_;
  Sessions* sessions_ = nullptr;  // the context's, which outlives this with its connections
};

// What both ends agreed on (ALPN); empty: nothing.
std::string_view agreed_protocol(SSL* ssl);

// Equal texts: the same settings.
std::string text_of(const config::TlsBackendSettings& settings);
// `inner` where it says something, else `outer`.
config::TlsBackendSettings merge(const config::TlsBackendSettings& outer,
                                 const config::TlsBackendSettings& inner);

}  // namespace steelyard::tls
