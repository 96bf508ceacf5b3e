#include "tls/client_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <mutex>
#include <unordered_map>

#include "base/check.hpp"
#include "base/ip.hpp"
#include "base/text.hpp"
#include "tls/library_errors.hpp"
#include "tls/own_certificates.hpp"
#include "tls/server_context.hpp"
#include "tls/trust.hpp"
#include "tls/verification.hpp"

namespace steelyard::tls {

namespace {

using config::NamedFile;
using config::TlsBackendSettings;

using SessionHandle = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;

// Of whom a connection is, for the session that it will get.
struct PeerName {
  std::string key;
};

void free_peer(void* /*ssl*/, void* peer, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*number*/,
               void* /*pointer*/) {
  delete static_cast<PeerName*>(peer);
}

int peer_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_peer);
  return index;
}

void set_behaviour(SSL_CTX& context, const TlsBackendSettings& settings) {
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(&context, 1);
  // A member of TLS 1.2 that wants a certificate for some paths asks for it by another handshake.
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION);
  set_versions(context, settings.versions.value_or(config::tls_all));
}

void set_ciphers(SSL_CTX& context, const TlsBackendSettings& settings, Faults& faults) {
  ERR_clear_error();
  const bool is_set =
      (!settings.ciphers || SSL_CTX_set_cipher_list(&context, settings.ciphers->c_str()) == 1) &&
      (!settings.suites || SSL_CTX_set_ciphersuites(&context, settings.suites->c_str()) == 1);
  if (is_set) return;
  faults.push_back({settings.place,
                    "SSLProxyCipherSuite: " + take_library_errors("no cipher is left"),
                    "openssl ciphers 'LIST' shows what a list means."});
}

// A common name counts beside other names here (names_host), so an authority that may name certain
// hosts alone is held to that in common names, too. The library takes that from nowhere but the
// verification's own parameters, as it looks for no host itself.
int verify_common_names_too(X509_STORE_CTX* store, void* /*nothing*/) {
  X509_VERIFY_PARAM_set_hostflags(X509_STORE_CTX_get0_param(store),
                                  X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
  return X509_verify_cert(store);
}

// The contents of files by which it does; equal texts: the same.
std::string believe(SSL_CTX& context, const TlsBackendSettings& settings, Material& material,
                    Faults& faults) {
  config::TlsTrust trust;
  trust.ca_file = settings.ca_file;
  trust.ca_path = settings.ca_path;
  trust.crl_file = settings.crl_file;
  trust.crl_path = settings.crl_path;
  trust.revocation = settings.revocation.value_or(config::RevocationCheck::none);
  std::string contents = set_trust(context, trust, material, faults);
  SSL_CTX_set_cert_verify_callback(&context, verify_common_names_too, nullptr);
  const auto verify = settings.verify.value_or(config::PeerVerify::none);
  if (verify == config::PeerVerify::none) return contents;
  set_verification(context, {.verify = verify,
                             .depth = settings.verify_depth.value_or(1),
                             .needs_no_crl = settings.needs_no_crl});
  return contents;
}

bool is_current(X509* certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

// httpd: the subject's common name counts beside other names, also where it is an address.
bool names_host(X509* certificate, const std::string& host) {
  unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT;
  if (IpAddress::parse(host)) {
    if (X509_check_ip_asc(certificate, host.c_str(), 0) == 1) return true;
    flags |= X509_CHECK_FLAG_NO_WILDCARDS;
  }
  return X509_check_host(certificate, host.data(), host.size(), flags, nullptr) == 1;
}

// SSLProxyCheckPeerName, and where nobody writes it SSLProxyCheckPeerCN, which switches the check
// of all names off (httpd, seen).
bool is_name_checked(const TlsBackendSettings& settings) {
  return settings.checks_name.value_or(settings.checks_common_name.value_or(true));
}

// SSLProxyCheckPeerCN, which counts where SSLProxyCheckPeerName is off, and only when it is written
// (httpd 2.4.71, seen; its manual says that it were on).
bool common_name_is(X509* certificate, std::string_view host) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return false;
  const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  const std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                              static_cast<std::size_t>(ASN1_STRING_length(text)));
  return equals_ignoring_case(name, host);
}

}  // namespace

// The last session of each member, offered to it again.
class ClientContext::Sessions {
 public:
  static constexpr std::size_t kept_max = 1024;

  void keep(const std::string& key, SessionHandle session) {
    const std::lock_guard hold(lock_);
    if (kept_.size() >= kept_max && !kept_.contains(key)) kept_.clear();
    kept_[key] = std::move(session);
  }
  // A ticket of TLS 1.3 is for one use only (RFC 8446 C.4); it may come with every connection.
  void offer(SSL* ssl, const std::string& key) {
    const std::lock_guard hold(lock_);
    const auto found = kept_.find(key);
    if (found == kept_.end()) return;
    // A copy: connections of several threads may go on with it at the same time (TLS 1.2).
    const SessionHandle session(SSL_SESSION_dup(found->second.get()));
    SSL_set_session(ssl, session.get());
    if (SSL_SESSION_get_protocol_version(found->second.get()) >= TLS1_3_VERSION) kept_.erase(found);
  }

  static int index() {
    static const int number = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, release);
    return number;
  }
  // The library's call; 0: its session stays its own.
  static int take(SSL* ssl, SSL_SESSION* session) {
    auto* const sessions =
        static_cast<Sessions*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index()));
    const auto* const peer = static_cast<const PeerName*>(SSL_get_ex_data(ssl, peer_index()));
    if (sessions == nullptr || peer == nullptr) return 0;
    // A copy: the library marks its own as spoiled when the connection ends without a goodbye.
    sessions->keep(peer->key, SessionHandle(SSL_SESSION_dup(session)));
    return 0;
  }

 private:
  static void release(void* /*context*/, void* sessions, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                      long /*number*/, void* /*pointer*/) {
    delete static_cast<Sessions*>(sessions);
  }

  std::mutex lock_;  // guards kept_
  std::unordered_map<std::string, SessionHandle> kept_;
};

std::expected<std::shared_ptr<const ClientContext>, Faults> ClientContext::make(
    const TlsBackendSettings& settings, Material& material, bool kernel_encrypts) {
  Faults faults;
  std::shared_ptr<ClientContext> made(new ClientContext());
  made->kernel_encrypts_ = kernel_encrypts;
  made->settings_ = settings;
  made->identity_ = text_of(settings);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  CHECK(made->context_);
  SSL_CTX& context = *made->context_;
  set_behaviour(context, settings);
  set_ciphers(context, settings, faults);
  // A file that has changed makes other connections than those that are kept.
  made->identity_ += believe(context, settings, material, faults);
  made->identity_ += show_own_certificates(context, settings, material, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  made->sessions_ = new Sessions();
  SSL_CTX_set_ex_data(&context, Sessions::index(), made->sessions_);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(&context, Sessions::take);
  return made;
}

std::unique_ptr<TlsStream> ClientContext::connect(std::unique_ptr<io::Stream> below,
                                                  const std::string& host, const std::string& peer,
                                                  std::string_view protocol) const {
  SslHandle ssl(SSL_new(context_.get()));
  CHECK(ssl);
  if (!host.empty() && !IpAddress::parse(host)) SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  if (!protocol.empty()) {
    const std::string offered = static_cast<char>(protocol.size()) + std::string(protocol);
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
  }
  const std::string key = peer + ' ' + host;
  SSL_set_ex_data(ssl.get(), peer_index(), new PeerName{key});
  sessions_->offer(ssl.get(), key);
  auto stream =
      std::make_unique<TlsStream>(std::move(below), std::move(ssl), TlsStream::Role::client);
  if (kernel_encrypts_) stream->let_kernel_encrypt(true);
  return stream;
}

std::string_view agreed_protocol(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  SSL_get0_alpn_selected(ssl, &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}

std::string ClientContext::objection(SSL* ssl, const std::string& host) const {
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return "the member showed no certificate";
  if (settings_.checks_expiry.value_or(true) && !is_current(certificate))
    return "AH02004: SSL Proxy: Peer certificate is expired";
  if (is_name_checked(settings_)) {
    if (names_host(certificate, host)) return {};
    return "AH02411: SSL Proxy: Peer certificate does not match for hostname " + host;
  }
  if (settings_.checks_common_name.value_or(false) && !common_name_is(certificate, host))
    return "AH02005: SSL Proxy: Peer certificate CN mismatch: Certificate CN is not " + host;
  return {};
}

std::string text_of(const TlsBackendSettings& settings) {
  std::string text;
  const auto add = [&text](const auto& value) {
    text += value ? std::to_string(static_cast<int>(*value)) + '|' : std::string("-|");
  };
  add(settings.engine);
  add(settings.versions);
  add(settings.verify);
  add(settings.verify_depth);
  add(settings.revocation);
  add(settings.checks_expiry);
  add(settings.checks_name);
  add(settings.checks_common_name);
  text += settings.needs_no_crl ? "n|" : "|";
  for (const auto* words : {&settings.ciphers, &settings.suites}) text += words->value_or("") + '|';
  for (const auto* file :
       {&settings.ca_file, &settings.ca_path, &settings.crl_file, &settings.crl_path,
        &settings.own_file, &settings.own_path, &settings.own_chain})
    text += (*file ? (*file)->path : std::string()) + '|';
  return text;
}

TlsBackendSettings merge(const TlsBackendSettings& outer, const TlsBackendSettings& inner) {
  TlsBackendSettings merged = inner;
  const auto inherit = [](auto& own, const auto& around) {
    if (!own) own = around;
  };
  if (!inner.revocation) merged.needs_no_crl = outer.needs_no_crl;
  if (inner.place.file == nullptr) merged.place = outer.place;
  inherit(merged.engine, outer.engine);
  inherit(merged.versions, outer.versions);
  inherit(merged.ciphers, outer.ciphers);
  inherit(merged.suites, outer.suites);
  inherit(merged.verify, outer.verify);
  inherit(merged.verify_depth, outer.verify_depth);
  inherit(merged.ca_file, outer.ca_file);
  inherit(merged.ca_path, outer.ca_path);
  inherit(merged.crl_file, outer.crl_file);
  inherit(merged.crl_path, outer.crl_path);
  inherit(merged.revocation, outer.revocation);
  inherit(merged.own_file, outer.own_file);
  inherit(merged.own_path, outer.own_path);
  inherit(merged.own_chain, outer.own_chain);
  inherit(merged.checks_expiry, outer.checks_expiry);
  inherit(merged.checks_name, outer.checks_name);
  inherit(merged.checks_common_name, outer.checks_common_name);
  return merged;
}

}  // namespace steelyard::tls
