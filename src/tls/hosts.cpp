#include "tls/hosts.hpp"

#include <openssl/ssl.h>

#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>

#include "base/check.hpp"
#include "tls/client_hello.hpp"
#include "tls/named_files.hpp"
#include "tls/ticket_key.hpp"

namespace steelyard::tls {

namespace {

// What a handshake has to know, and what it found out.
struct Greeting {
  const Hosts* hosts;
  const config::VirtualHostGroup* group;
  std::shared_ptr<const void> owner;
  std::string host{};
  bool is_known = false;  // some server has that name
};

void free_greeting(void* /*ssl*/, void* greeting, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                   long /*number*/, void* /*pointer*/) {
  delete static_cast<Greeting*>(greeting);
}

int greeting_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_greeting);
  return index;
}

Greeting* greeting_of(const SSL* ssl) {
  return static_cast<Greeting*>(SSL_get_ex_data(ssl, greeting_index()));
}

// RFC 7540 9.2.2 forbids what hands out no key of its own for each connection or seals no records;
// httpd: H2ModernTLSOnly.
bool is_modern(const SSL* ssl) {
  if (SSL_version(ssl) >= TLS1_3_VERSION) return true;
  if (SSL_version(ssl) < TLS1_2_VERSION) return false;
  const SSL_CIPHER* const cipher = SSL_get_pending_cipher(ssl);
  if (cipher == nullptr || SSL_CIPHER_is_aead(cipher) == 0) return false;
  const int exchange = SSL_CIPHER_get_kx_nid(cipher);
  return exchange == NID_kx_ecdhe || exchange == NID_kx_dhe || exchange == NID_kx_ecdhe_psk ||
         exchange == NID_kx_dhe_psk;
}

std::string_view name_of(config::ClientProtocol protocol) {
  return protocol == config::ClientProtocol::h2 ? "h2" : "http/1.1";
}

using Names = std::span<const unsigned char>;

// The name in front of the list that a client offers: one byte of length, then it.
std::string_view take_name(Names& list) {
  if (list.empty() || list.size() - 1 < list[0]) {
    list = {};
    return {};
  }
  const std::string_view name(reinterpret_cast<const char*>(list.data()) + 1, list[0]);
  list = list.subspan(1 + name.size());
  return name;
}

// Where `wanted` lies in the list; null: it does not.
const char* find_name(Names list, std::string_view wanted) {
  while (!list.empty()) {
    const std::string_view name = take_name(list);
    if (name == wanted) return name.data();
  }
  return nullptr;
}

// RFC 7301. Who asks for other protocols only is not answered in one it did not ask for (ALPACA).
int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void* settings) {
  // The settings may be gone when a connection renegotiates, and its protocol stays.
  const Greeting* const greeting = greeting_of(ssl);
  if (greeting == nullptr || greeting->owner == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& client = *static_cast<const config::ClientSettings*>(settings);
  const Names list(offered, offered_bytes);
  const char* best = nullptr;
  std::size_t best_bytes = 0;
  const auto consider = [&](config::ClientProtocol protocol) {
    if (protocol == config::ClientProtocol::h2c) return;
    if (protocol == config::ClientProtocol::h2 && client.http2.needs_modern_tls && !is_modern(ssl))
      return;
    const char* const found = find_name(list, name_of(protocol));
    const bool is_better = best == nullptr || (!client.protocols.honors_order && found < best);
    if (found == nullptr || !is_better) return;
    best = found;
    best_bytes = name_of(protocol).size();
  };
  for (std::uint8_t i = 0; i < client.protocols.count; ++i) consider(client.protocols.listed[i]);
  // httpd: HTTP/1.1 is spoken whatever is listed.
  if (best == nullptr) consider(config::ClientProtocol::http1);
  if (best == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = reinterpret_cast<const unsigned char*>(best);
  *chosen_bytes = static_cast<unsigned char>(best_bytes);
  return SSL_TLSEXT_ERR_OK;
}

// Tells the client that its name was heard.
int confirm_host(SSL* ssl, int* /*alert*/, void* /*pointer*/) {
  const Greeting* const greeting = greeting_of(ssl);
  return greeting != nullptr && greeting->is_known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

struct HandshakeCallbacks {
  // Before the library looks for a session to resume: one of another virtual host's rules is none.
  static int heed_hello(SSL* ssl, int* /*alert*/, void* /*pointer*/) {
    Greeting* const greeting = greeting_of(ssl);
    // Of a renegotiation nothing counts: the host stays the one that was named first.
    if (greeting == nullptr || greeting->owner == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
    const unsigned char* extension = nullptr;
    std::size_t bytes = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &bytes) != 1)
      return SSL_CLIENT_HELLO_SUCCESS;
    greeting->host = host_named_in({extension, bytes});
    if (greeting->host.empty()) return SSL_CLIENT_HELLO_SUCCESS;
    const config::Server* const server = greeting->group->find(greeting->host);
    if (server == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
    greeting->is_known = true;
    SSL_CTX* const context = greeting->hosts->contexts_[server->index].context.get();
    if (context != nullptr) adopt(ssl, context);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

 private:
  // Only certificates come with a context; the rest was copied when the connection began.
  static void adopt(SSL* ssl, SSL_CTX* context) {
    if (context == SSL_get_SSL_CTX(ssl)) return;
    SSL_set_SSL_CTX(ssl, context);
    const std::uint64_t own = SSL_get_options(ssl) & SSL_OP_ENABLE_KTLS;
    SSL_clear_options(ssl, SSL_get_options(ssl));
    SSL_set_options(ssl, SSL_CTX_get_options(context) | own);
    SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(context));
    SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(context));
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_callback(context));
    SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(context));
  }
};

// One context for all that say the same.
class Hosts::BackendLoader {
 public:
  BackendLoader(Material& material, bool kernel_encrypts, Faults& faults)
      : material_(material), kernel_encrypts_(kernel_encrypts), faults_(faults) {}

  Backends load(const config::Server& server) {
    Backends backends;
    backends.own = context_for(server.tls_backend);
    for (const config::Section& section : server.proxies) {
      if (!section.tls_backend) continue;
      backends.sections.emplace_back(&section,
                                     context_for(merge(server.tls_backend, *section.tls_backend)));
    }
    return backends;
  }

 private:
  std::shared_ptr<const ClientContext> context_for(const config::TlsBackendSettings& settings) {
    if (!settings.engine.value_or(false)) return nullptr;
    const auto [entry, is_new] = made_.try_emplace(text_of(settings));
    if (!is_new) return entry->second;
    auto made = ClientContext::make(settings, material_, kernel_encrypts_);
    if (made) {
      entry->second = std::move(*made);
    } else {
      std::ranges::move(made.error(), std::back_inserter(faults_));
    }
    return entry->second;
  }

  Material& material_;
  const bool kernel_encrypts_;
  Faults& faults_;
  std::map<std::string, std::shared_ptr<const ClientContext>> made_;
};

namespace {

// As httpd names a server to who is asked for pass phrases.
std::string identity_of(const config::Server& server) {
  constexpr std::uint16_t usual = 443;
  return server.name + ':' + std::to_string(server.name_port.value_or(usual));
}

// Access that puts down what was asked for.
FileAccess noting(const FileAccess& access, std::set<std::string>& seen) {
  FileAccess noting = access;
  noting.read = [&access, &seen](const std::string& path) {
    seen.insert(path);
    return access.read(path);
  };
  noting.list = [&access, &seen](const std::string& path) {
    seen.insert(path);
    return access.list(path);
  };
  return noting;
}

// A line that several servers inherit, or a file that is read for several ends, is told of once.
Faults each_once(Faults faults) {
  std::set<std::tuple<const std::string*, std::uint32_t, std::string>> told;
  std::erase_if(faults, [&told](const Fault& fault) {
    return !told.emplace(fault.place.file.get(), fault.place.line, fault.text).second;
  });
  return faults;
}

}  // namespace

const std::shared_ptr<const ClientContext>& Hosts::backend_of(const config::Server& server,
                                                              std::string_view url) const {
  const Backends& backends = backends_[server.index];
  const std::shared_ptr<const ClientContext>* found = &backends.own;
  for (const auto& [section, context] : backends.sections)
    if (section->covers_url(url)) found = &context;
  return *found;
}

void Hosts::take_kernel(const config::TlsProcessSettings& settings, const FileAccess& files) {
  shakes_hands_anew_ = settings.shakes_hands_anew;
  kernel_encrypts_ = settings.kernel_encrypts && files.kernel_has_tls;
  if (kernel_encrypts_ || !settings.kernel_encrypts) return;
  remarks_.push_back({settings.kernel_encrypts_place,
                      "This kernel has no TLS: the program itself encrypts, as without the line",
                      "The kernel's module is named tls: modprobe tls."});
}

std::expected<std::shared_ptr<const Hosts>, Faults> Hosts::load(const config::Config& config,
                                                                const FileAccess& access) {
  std::set<std::string> seen;
  const FileAccess files = noting(access, seen);
  Material material(files);
  auto hosts = std::make_shared<Hosts>();
  Faults faults;
  hosts->take_kernel(config.tls, files);
  for (const auto& server : config.servers) {
    ServerContext& context = hosts->contexts_.emplace_back();
    if (!server->tls.is_on()) continue;
    auto made = make_server_context(server->tls, config.tls, identity_of(*server), material);
    if (!made) {
      std::ranges::move(made.error(), std::back_inserter(faults));
      continue;
    }
    context = std::move(*made);
    if (context.staples != nullptr) {
      for (const std::string& text : context.staples->remarks)
        hosts->remarks_.push_back(
            {server->tls.stapling.place, "Nothing is stapled to " + text,
             "The certificate is shown without; SSLUseStapling Off says so."});
    }
    SSL_CTX_set_client_hello_cb(context.context.get(), HandshakeCallbacks::heed_hello, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context.context.get(), confirm_host);
    // The configuration lives as long as handshakes by it (Greeting::owner).
    SSL_CTX_set_alpn_select_cb(context.context.get(), choose_protocol,
                               const_cast<config::ClientSettings*>(&server->client));
  }
  BackendLoader backends(material, hosts->kernel_encrypts_, faults);
  for (const auto& server : config.servers) hosts->backends_.push_back(backends.load(*server));
  look_at_named(config, access, seen, faults);
  if (!faults.empty()) return std::unexpected(each_once(std::move(faults)));
  return hosts;
}

std::vector<std::shared_ptr<Staple>> Hosts::staples() const {
  std::vector<std::shared_ptr<Staple>> all;
  for (const ServerContext& context : contexts_) {
    if (context.staples == nullptr) continue;
    all.insert(all.end(), context.staples->all.begin(), context.staples->all.end());
  }
  return all;
}

std::unique_ptr<TlsStream> Hosts::accept(std::unique_ptr<io::Stream> below,
                                         const config::VirtualHostGroup& group,
                                         std::shared_ptr<const void> owner) const {
  SSL_CTX& first = *contexts_[group.first().index].context;
  SslHandle ssl(SSL_new(&first));
  CHECK(ssl);
  keep_ticket_key(ssl.get(), first);
  SSL_set_ex_data(ssl.get(), greeting_index(), new Greeting{this, &group, std::move(owner)});
  auto stream =
      std::make_unique<TlsStream>(std::move(below), std::move(ssl), TlsStream::Role::server);
  if (kernel_encrypts_) stream->let_kernel_encrypt(shakes_hands_anew_);
  return stream;
}

bool Hosts::may_ask(const config::Server& shown, const config::Server& asked) const {
  using config::SniPolicy;
  if (&shown == &asked) return true;
  const ServerContext& from = contexts_[shown.index];
  const ServerContext& to = contexts_[asked.index];
  switch (asked.tls.sni_policy) {
    case SniPolicy::strict:
      return false;
    case SniPolicy::secure:
      return from.certificates_text == to.certificates_text && from.rules_text == to.rules_text &&
             from.verification_text == to.verification_text;
    case SniPolicy::authonly:
      return from.verification_text == to.verification_text;
    case SniPolicy::insecure:
      return true;
  }
  return false;
}

std::string_view named_host(SSL* ssl) {
  const Greeting* const greeting = greeting_of(ssl);
  return greeting == nullptr ? std::string_view() : std::string_view(greeting->host);
}

std::string_view chosen_protocol(const TlsStream& stream) {
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  SSL_get0_alpn_selected(stream.ssl(), &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}

void forget_owner(SSL* ssl) {
  Greeting* const greeting = greeting_of(ssl);
  if (greeting != nullptr) greeting->owner.reset();
}

}  // namespace steelyard::tls
