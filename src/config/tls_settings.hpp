#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/named_file.hpp"
#include "config/tls_ocsp.hpp"

// How TLS is spoken, as the configuration says it: names of files and words for the library,
// nothing loaded yet (tls/ does that).
//
// Threads: values.

namespace steelyard::config {

// SSLProtocol: a set of these bits.
using TlsVersions = std::uint8_t;
inline constexpr TlsVersions tls_1_0 = 1, tls_1_1 = 2, tls_1_2 = 4, tls_1_3 = 8;
inline constexpr TlsVersions tls_all = tls_1_0 | tls_1_1 | tls_1_2 | tls_1_3;

// SSLVHostSNIPolicy: what a request may ask of another virtual host than the one that the client
// named in its handshake.
enum class SniPolicy : std::uint8_t {
  strict,    // nothing
  secure,    // what has the same certificates and rules
  authonly,  // what asks the same of clients' certificates
  insecure,  // everything
};

// SSLVerifyClient, SSLProxyVerify.
enum class PeerVerify : std::uint8_t { none, optional, require, optional_no_ca };
// SSLCARevocationCheck, SSLProxyCARevocationCheck.
enum class RevocationCheck : std::uint8_t { none, leaf, chain };

// Whose certificates are believed, and which of them no more.
struct TlsTrust {
  std::optional<NamedFile> ca_file, ca_path, crl_file, crl_path;
  std::optional<NamedFile> names_file, names_path;  // SSLCADNRequest...: what clients are told
  RevocationCheck revocation = RevocationCheck::none;
  bool needs_no_crl = false;  // no_crl_for_cert_ok
};

// SSLUseStapling, SSLStapling...
struct TlsStapling {
  bool is_on = false;
  Place place;             // of SSLUseStapling
  std::string forced_url;  // who is asked, instead of whom the certificate names
  Duration skew = std::chrono::seconds(300);
  std::optional<Duration> age_max;  // of an answer; unset: as long as it is in force
  Duration renew = std::chrono::seconds(3600);
  Duration retry = std::chrono::seconds(600);
  Duration patience = std::chrono::seconds(10);
};

// SSLOpenSSLConfCmd: a word of the library's own configuration.
struct TlsCommand {
  std::string name, value;
  Place place;
};

// Towards clients, of one server.
struct TlsServerSettings {
  std::optional<bool> engine;                 // SSLEngine; settled when everything was read
  Place place;                                // of SSLEngine, or of what stands for it
  std::vector<NamedFile> certificates, keys;  // by their order: the first of each belong together
  std::optional<NamedFile> chain;
  std::optional<NamedFile> ticket_key;  // SSLSessionTicketKeyFile
  TlsVersions versions = tls_all;
  std::string ciphers;  // up to TLS 1.2, empty: the library's
  Place ciphers_place;
  std::string suites;  // TLS 1.3, empty: the library's
  Place suites_place;
  bool honors_order = false;  // SSLHonorCipherOrder
  bool tickets = true;        // SSLSessionTickets
  bool strict_sni = false;    // SSLStrictSNIVHostCheck
  SniPolicy sni_policy = SniPolicy::secure;
  Duration session_life = std::chrono::seconds(300);  // SSLSessionCacheTimeout
  PeerVerify verify = PeerVerify::none;
  std::uint8_t verify_depth = 1;
  bool verifies_in_sections = false;  // some section has its own SSLVerifyClient
  TlsTrust trust;
  TlsStapling stapling;
  TlsOcsp ocsp;
  std::vector<TlsCommand> commands;  // in their order; the last ones are a virtual host's own
  // RequestReadTimeout handshake=; zero: Timeout.
  Duration handshake_time{};

  bool is_on() const { return engine.value_or(false); }
};

// SSLPassPhraseDialog: who tells the pass phrases of keys.
struct PassPhraseDialog {
  enum class Kind : std::uint8_t { terminal, program, dialog } kind = Kind::terminal;
  std::string command;  // program: a path; dialog: a command line
};

// Of all servers.
struct TlsProcessSettings {
  PassPhraseDialog pass_phrases;
  bool caches_sessions = false;  // SSLSessionCache
  std::uint32_t cached_sessions_max = 0;
  bool kernel_encrypts = false;  // SteelyardKernelTLS
  Place kernel_encrypts_place;
  // Some section asks for what a first handshake may not have asked for: a certificate, ciphers.
  bool shakes_hands_anew = false;
};

// Towards members, at one level of the configuration; unset values come from the level around it.
struct TlsBackendSettings {
  std::optional<bool> engine;  // SSLProxyEngine
  Place place;
  std::optional<TlsVersions> versions;
  std::optional<std::string> ciphers, suites;
  std::optional<PeerVerify> verify;          // none
  std::optional<std::uint8_t> verify_depth;  // 1
  std::optional<NamedFile> ca_file, ca_path, crl_file, crl_path;
  std::optional<RevocationCheck> revocation;
  bool needs_no_crl = false;
  // SSLProxyMachineCertificateFile, ...Path, ...ChainFile
  std::optional<NamedFile> own_file, own_path, own_chain;
  std::optional<bool> checks_expiry, checks_name, checks_common_name;  // On
};

// SSLOptions: bits, and how a section changes those around it.
struct TlsOptions {
  using Set = std::uint8_t;
  static constexpr Set std_env_vars = 1, cert_data = 2, legacy_names = 4, keeps_ciphers = 8,
                       fakes_basic_auth = 16;

  bool replaces = false;  // written without signs: what stands around is forgotten
  Set on = 0, off = 0;

  bool has(Set option) const { return (on & option) != 0; }
  TlsOptions over(const TlsOptions& outer) const {
    if (replaces) return *this;
    return {outer.replaces, static_cast<Set>((outer.on & ~off) | on),
            static_cast<Set>((outer.off & ~on) | off)};
  }
};

}  // namespace steelyard::config
