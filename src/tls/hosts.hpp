#pragma once

#include <expected>
#include <memory>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/virtual_host_index.hpp"
#include "tls/client_context.hpp"
#include "tls/files.hpp"
#include "tls/server_context.hpp"
#include "tls/stream.hpp"

// What all virtual hosts of one generation show in handshakes.
//
//   connection ─▶ group of its address ─▶ first server: has SSLEngine On?
//   ClientHello ─▶ the server of the group that the named host belongs to: its certificates
//
// Threads: immutable once made; handshakes on any thread.

namespace steelyard::tls {

class Hosts {
 public:
  // Loads all that the configuration names. Every fault of it.
  static std::expected<std::shared_ptr<const Hosts>, Faults> load(const config::Config& config,
                                                                  const FileAccess& files);

  // Whether connections to addresses of this group begin with a handshake.
  bool speaks_tls(const config::Server& first) const {
    return contexts_[first.index].context != nullptr;
  }
  // What a handshake for this server goes by; null: it speaks no TLS.
  SSL_CTX* context_of(const config::Server& server) const {
    return contexts_[server.index].context.get();
  }
  // The server's end of a connection. `group` and this object live as long as `owner`, which is
  // held until forget_owner().
  std::unique_ptr<TlsStream> accept(std::unique_ptr<io::Stream> below,
                                    const config::VirtualHostGroup& group,
                                    std::shared_ptr<const void> owner) const;

  // How members are spoken to that a request of `server` goes to by `url`; the innermost <Proxy>
  // section with SSLProxy lines counts. Null: SSLProxyEngine is off.
  const std::shared_ptr<const ClientContext>& backend_of(const config::Server& server,
                                                         std::string_view url) const;

  // What authorities have to be asked about; and what of SSLUseStapling cannot be had.
  std::vector<std::shared_ptr<Staple>> staples() const;
  const Faults& remarks() const { return remarks_; }

  // Whether a request for `asked` may come on a connection whose handshake was for `shown`.
  bool may_ask(const config::Server& shown, const config::Server& asked) const;

 private:
  friend struct HandshakeCallbacks;
  struct Backends {
    std::shared_ptr<const ClientContext> own;
    std::vector<std::pair<const config::Section*, std::shared_ptr<const ClientContext>>> sections;
  };
  class BackendLoader;
  void take_kernel(const config::TlsProcessSettings& settings, const FileAccess& files);

  std::vector<ServerContext> contexts_;  // by Server::index; empty ones: no TLS
  std::vector<Backends> backends_;       // by Server::index
  Faults remarks_;
  bool kernel_encrypts_ = false, shakes_hands_anew_ = false;
};

// Of an accepted connection. The host that the client named in the handshake; empty: none.
std::string_view named_host(SSL* ssl);
inline std::string_view named_host(const TlsStream& stream) { return named_host(stream.ssl()); }
// After the handshake (ALPN); empty: the client did not ask.
std::string_view chosen_protocol(const TlsStream& stream);
// After the handshake: nothing more is looked up.
void forget_owner(SSL* ssl);

}  // namespace steelyard::tls
