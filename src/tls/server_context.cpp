#include "tls/server_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ranges>

#include "base/check.hpp"
#include "tls/inquiry.hpp"
#include "tls/library_errors.hpp"
#include "tls/pem.hpp"
#include "tls/ticket_key.hpp"
#include "tls/trust.hpp"
#include "tls/verification.hpp"

namespace steelyard::tls {

namespace {

using config::NamedFile;
using config::TlsServerSettings;
using config::TlsVersions;

struct VersionNumber {
  TlsVersions bit;
  int number;
  std::uint64_t switched_off;
};
constexpr std::array<VersionNumber, 4> version_numbers{{
    {config::tls_1_0, TLS1_VERSION, SSL_OP_NO_TLSv1},
    {config::tls_1_1, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {config::tls_1_2, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {config::tls_1_3, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
}};

bool may_ask_for_certificates(const TlsServerSettings& settings) {
  return settings.verify != config::PeerVerify::none || settings.verifies_in_sections;
}

std::string path_of(const std::optional<NamedFile>& file) { return file ? file->path : ""; }

// How long it takes and by which proxy changes nothing about who is let in.
std::string text_of_inquiry(const config::TlsOcsp& ocsp) {
  if (ocsp.about == config::TlsOcsp::About::nobody) return "";
  std::string text = "|ocsp" + std::to_string(static_cast<int>(ocsp.about));
  for (const bool each :
       {ocsp.needs_no_responder, ocsp.overrides, ocsp.sends_nonce, ocsp.trusts_anybody})
    text += each ? 'y' : 'n';
  text += '|' + ocsp.default_url + '|' + path_of(ocsp.responders);
  text += '|' + std::to_string(ocsp.skew.count()) + '|';
  return text + (ocsp.age_max ? std::to_string(ocsp.age_max->count()) : "");
}

bool asks_authorities(const TlsServerSettings& settings) {
  return may_ask_for_certificates(settings) &&
         settings.ocsp.about != config::TlsOcsp::About::nobody;
}

void set_behaviour(SSL_CTX& context, const TlsServerSettings& settings,
                   const config::TlsProcessSettings& process) {
  // An idle connection keeps no buffer; a record moves while it waits (TlsStream::owed_).
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One call of the kernel for a record, and not one for its head and one for the rest.
  SSL_CTX_set_read_ahead(&context, 1);
  SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A client that just leaves is no error, or its session would be thrown away: what a request
  // lacks then shows by its framing (httpd: the same). Members have to say goodbye, see TlsStream.
  SSL_CTX_set_options(&context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (settings.honors_order) SSL_CTX_set_options(&context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A session is made before its client is asked about, so it must not be good for another
  // connection; nor does it tell of the chain that it began with.
  const bool resumes = !asks_authorities(settings);
  const bool has_tickets = settings.tickets && resumes;
  if (!has_tickets) SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  SSL_CTX_set_dh_auto(&context, 1);
  SSL_CTX_set_timeout(
      &context, std::chrono::duration_cast<std::chrono::seconds>(settings.session_life).count());
  if (!process.caches_sessions || !resumes) {
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
    // Without a cache and without tickets there is nothing to resume.
    if (!has_tickets) SSL_CTX_set_num_tickets(&context, 0);
    return;
  }
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(&context, process.cached_sessions_max);
}

void set_ciphers(SSL_CTX& context, const TlsServerSettings& settings, Faults& faults) {
  ERR_clear_error();
  if (!settings.ciphers.empty() &&
      SSL_CTX_set_cipher_list(&context, settings.ciphers.c_str()) != 1) {
    faults.push_back(
        {settings.ciphers_place,
         "Unable to configure permitted SSL ciphers: " + take_library_errors("no cipher is left"),
         "openssl ciphers 'LIST' shows what a list means."});
  }
  if (!settings.suites.empty() &&
      SSL_CTX_set_ciphersuites(&context, settings.suites.c_str()) != 1) {
    faults.push_back({settings.suites_place,
                      "Unable to configure permitted TLSv1.3 ciphers: " +
                          take_library_errors("no cipher is left"),
                      "For example: TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"});
  }
}

// Null after a fault.
const std::vector<CertificateHandle>* load_certificates(const NamedFile& file, Material& material,
                                                        Faults& faults) {
  const auto& content = material.certificates(file.path).content;
  if (content) return &*content;
  faults.push_back({file.place, file.path + content.error().text,
                    content.error().is_unreadable
                        ? "It has to be readable for who starts the server."
                        : "It begins with -----BEGIN CERTIFICATE-----."});
  return nullptr;
}

// Both of a certificate's file and its key's; `server` and `index` are for who is asked for a pass
// phrase.
struct KeyPairFiles {
  const NamedFile &certificate, &key;
  std::string_view server;
  std::size_t index;
  bool has_chain_file;  // which counts instead of what lies behind the certificate (httpd)
};

Fault about_key(const NamedFile& file, const std::string& what, std::string advice) {
  return {file.place, file.path + ' ' + what, std::move(advice)};
}

// The key behind its pass phrase; null: nobody is asked.
std::expected<KeyHandle, Fault> unlock(const KeyPairFiles& pair, const std::string& pem,
                                       const FileAccess& files) {
  const NamedFile& file = pair.key;
  if (files.pass_phrases == nullptr) return KeyHandle();
  PassPhrases& phrases = *files.pass_phrases;
  for (const std::string& phrase : phrases.known())
    if (auto key = read_key(pem, &phrase)) return std::move(*key);
  const LockedKey locked{file.path, std::string(pair.server), pair.index};
  for (unsigned wrong = 0;; ++wrong) {
    auto phrase = phrases.ask(locked, wrong);
    if (!phrase)
      return std::unexpected(about_key(file, "holds a key with a pass phrase: " + phrase.error(),
                                       "SSLPassPhraseDialog says who is asked for it."));
    if (auto key = read_key(pem, &*phrase)) {
      phrases.keep(std::move(*phrase));
      return std::move(*key);
    }
  }
}

// Null: it stays unread, as nobody is asked for its pass phrase.
std::expected<KeyHandle, Fault> read_key_of(const KeyPairFiles& pair, const FileAccess& files) {
  const NamedFile& file = pair.key;
  const auto text = files.read(file.path);
  if (!text)
    return std::unexpected(Fault{file.place, file.path + " cannot be read: " + text.error(),
                                 "It has to be readable for who starts the server."});
  auto key = read_key(*text, nullptr);
  if (key) return std::move(*key);
  if (key.error().is_locked) return unlock(pair, *text, files);
  return std::unexpected(about_key(file, key.error().text,
                                   "It begins with -----BEGIN PRIVATE KEY-----, and belongs to "
                                   "SSLCertificateKeyFile unless it lies with the certificate."));
}

std::expected<KeyHandle, Fault> load_key(const KeyPairFiles& pair, Material& material) {
  if (EVP_PKEY* const known = material.key(pair.key.path); known != nullptr) return share(known);
  auto key = read_key_of(pair, material.access());
  if (key && *key != nullptr) material.keep(pair.key.path, share(key->get()));
  return key;
}

// Whom a client's certificate has to come from, and what it is told of that. Authorities are
// believed whether or not clients are asked: out of them the library completes a certificate's
// chain (httpd).
void ask_for_certificates(SSL_CTX& context, const TlsServerSettings& settings, Material& material,
                          Faults& faults) {
  set_trust(context, settings.trust, material, faults);
  if (!may_ask_for_certificates(settings)) return;
  set_verification(context, {.verify = settings.verify,
                             .depth = settings.verify_depth,
                             .needs_no_crl = settings.trust.needs_no_crl});
  set_client_names(context, settings.trust, material, faults);
  if (!asks_authorities(settings)) return;
  std::vector<CertificateHandle> responders;
  if (settings.ocsp.responders) {
    const auto* const loaded = load_certificates(*settings.ocsp.responders, material, faults);
    if (loaded == nullptr) return;
    for (const CertificateHandle& each : *loaded) responders.push_back(share(each.get()));
  }
  set_inquiry(context, settings.ocsp, std::move(responders), text_of_inquiry(settings.ocsp));
}

// Sessions of other rules are not resumed under these.
void name_sessions(SSL_CTX& context, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &bytes, EVP_sha256(), nullptr) == 1);
  static_assert(SSL_MAX_SID_CTX_LENGTH == 32);  // that of the digest
  SSL_CTX_set_session_id_context(&context, digest.data(), bytes);
}

void add_chain(SSL_CTX& context, const TlsServerSettings& settings, Material& material,
               Faults& faults) {
  const NamedFile& file = *settings.chain;
  const auto* const chain = load_certificates(file, material, faults);
  if (chain == nullptr) return;
  // httpd: in a file that is a certificate's, too, the first one is the server's.
  const bool skips_first = std::ranges::any_of(
      settings.certificates,
      [&](const NamedFile& certificate) { return certificate.path == file.path; });
  for (std::size_t i = skips_first ? 1 : 0; i < chain->size(); ++i)
    SSL_CTX_add_extra_chain_cert(&context, share((*chain)[i].get()).release());
}

// The certificates' own bytes: a session does not outlive them.
std::string text_of_certificates(SSL_CTX& context) {
  std::string text;
  for (long more = SSL_CTX_set_current_cert(&context, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(&context, SSL_CERT_SET_NEXT)) {
    X509* const certificate = SSL_CTX_get0_certificate(&context);
    if (certificate == nullptr) continue;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned bytes = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &bytes) != 1) continue;
    text.append(reinterpret_cast<const char*>(digest.data()), bytes);
  }
  return text;
}

// What httpd compares of two servers before a request is served whose handshake named the other
// one: here what clients prove, below what else is agreed on. Files are the same by their paths.
class Comparison {
 public:
  void add(std::string_view text) { text_.append(text).push_back('|'); }
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add_file(const std::optional<NamedFile>& file) { add(file ? file->path : ""); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string text_of_verification(const TlsServerSettings& settings) {
  const config::TlsTrust& trust = settings.trust;
  const config::TlsOcsp& ocsp = settings.ocsp;
  Comparison text;
  text.add(static_cast<int>(settings.verify));
  text.add(settings.verify_depth);
  for (const auto* file : {&trust.ca_file, &trust.ca_path, &trust.names_file, &trust.names_path,
                           &trust.crl_file, &trust.crl_path})
    text.add_file(*file);
  text.add(static_cast<int>(trust.revocation));
  text.add(trust.needs_no_crl);
  text.add(static_cast<int>(ocsp.about));
  text.add(ocsp.needs_no_responder);
  text.add(ocsp.overrides);
  text.add(ocsp.default_url);
  for (const config::TlsCommand& command : settings.commands) {
    text.add(command.name);
    text.add(command.value);
  }
  if (!asks_authorities(settings)) return text.take();
  // More than httpd compares: it decides who is let in as well. How long it takes and by which
  // proxy does not.
  text.add(settings.verifies_in_sections);
  text.add(ocsp.sends_nonce);
  text.add(ocsp.trusts_anybody);
  text.add_file(ocsp.responders);
  text.add(ocsp.skew.count());
  text.add(ocsp.age_max ? ocsp.age_max->count() : -1);
  return text.take();
}

std::string text_of_rules(const TlsServerSettings& settings) {
  Comparison text;
  text.add(settings.versions);
  text.add(settings.ciphers);
  text.add(settings.suites);
  return text.take();
}

std::string text_of_names(const TlsServerSettings& settings) {
  Comparison text;
  for (const auto* named : {&settings.certificates, &settings.keys}) {
    for (const NamedFile& file : *named) text.add(file.path);
    text.add("");
  }
  return text.take();
}

// Keys belong to SSLCertificateKeyFile, which knows whom to ask.
int tell_no_pass_phrase(char* /*room*/, int /*size*/, int /*for_writing*/, void* /*pointer*/) {
  return -1;
}

// httpd: after all else was set.
void obey_commands(SSL_CTX& context, const TlsServerSettings& settings, Faults& faults) {
  if (settings.commands.empty()) return;
  const std::unique_ptr<SSL_CONF_CTX, Release<SSL_CONF_CTX_free>> reader(SSL_CONF_CTX_new());
  CHECK(reader);
  SSL_CONF_CTX_set_flags(reader.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER |
                                           SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SHOW_ERRORS);
  SSL_CONF_CTX_set_ssl_ctx(reader.get(), &context);
  SSL_CTX_set_default_passwd_cb(&context, tell_no_pass_phrase);
  ERR_clear_error();
  for (const config::TlsCommand& command : settings.commands) {
    if (SSL_CONF_cmd_value_type(reader.get(), command.name.c_str()) == SSL_CONF_TYPE_UNKNOWN) {
      faults.push_back(
          {command.place,
           "SSLOpenSSLConfCmd '" + command.name + "': invalid OpenSSL configuration command",
           "man SSL_CONF_cmd lists them, those for configuration files."});
      continue;
    }
    const int done = SSL_CONF_cmd(reader.get(), command.name.c_str(), command.value.c_str());
    if (done > 0) continue;
    faults.push_back({command.place,
                      "SSLOpenSSLConfCmd " + command.name + ' ' + command.value +
                          " failed: " + take_library_errors("the library refuses it"),
                      "man SSL_CONF_cmd says what may stand there."});
  }
  if (SSL_CONF_CTX_finish(reader.get()) != 1)
    faults.push_back({settings.commands.back().place,
                      "SSL_CONF_CTX_finish() failed: " + take_library_errors("for no reason"), ""});
  SSL_CTX_set_default_passwd_cb(&context, nullptr);
}

void use_key_pair(SSL_CTX& context, const KeyPairFiles& pair, Material& material, Faults& faults) {
  const auto& [certificate, key, server, index, has_chain_file] = pair;
  const auto* const certificates = load_certificates(certificate, material, faults);
  auto loaded_key = load_key(pair, material);
  if (!loaded_key) faults.push_back(std::move(loaded_key.error()));
  if (certificates == nullptr || !loaded_key) return;
  X509* const own = certificates->front().get();
  ERR_clear_error();
  if (*loaded_key != nullptr && X509_check_private_key(own, loaded_key->get()) != 1) {
    ERR_clear_error();
    return faults.push_back({key.place, key.path + " is not the key of " + certificate.path,
                             "The n-th SSLCertificateKeyFile belongs to the n-th "
                             "SSLCertificateFile."});
  }
  const bool is_used =
      SSL_CTX_use_certificate(&context, own) == 1 &&
      (*loaded_key == nullptr || SSL_CTX_use_PrivateKey(&context, loaded_key->get()) == 1);
  if (!is_used) {
    return faults.push_back(
        {certificate.place,
         certificate.path + " cannot be used: " + take_library_errors("the library refuses it"),
         "The security level of openssl.cnf may ask for longer keys."});
  }
  SSL_CTX_clear_chain_certs(&context);
  if (has_chain_file) return;
  for (std::size_t i = 1; i < certificates->size(); ++i)
    SSL_CTX_add1_chain_cert(&context, (*certificates)[i].get());
}

// httpd: parameters in the first certificate's file name the only curve that keys are agreed on by.
void use_curve(SSL_CTX& context, const TlsServerSettings& settings, Material& material) {
  if (settings.certificates.empty()) return;
  const int curve = material.certificates(settings.certificates.front().path).curve;
  if (curve != 0) SSL_CTX_set1_groups(&context, &curve, 1);
}

}  // namespace

void set_versions(SSL_CTX& context, TlsVersions versions) {
  int least = 0;
  int most = 0;
  bool is_broken = false;
  // httpd: what lies below a gap does not count.
  for (const VersionNumber& each : std::views::reverse(version_numbers)) {
    const bool is_on = (versions & each.bit) != 0;
    if (is_on && !is_broken) {
      least = each.number;
      if (most == 0) most = each.number;
    } else {
      is_broken = most != 0;
      SSL_CTX_set_options(&context, each.switched_off);
    }
  }
  // Said in both ways: the system's own default must not raise the lowest one.
  SSL_CTX_set_min_proto_version(&context, least);
  SSL_CTX_set_max_proto_version(&context, most);
}

std::expected<ServerContext, Faults> make_server_context(const TlsServerSettings& settings,
                                                         const config::TlsProcessSettings& process,
                                                         const std::string& identity,
                                                         Material& material) {
  Faults faults;
  ServerContext made;
  made.context.reset(SSL_CTX_new(TLS_server_method()));
  CHECK(made.context);
  SSL_CTX& context = *made.context;
  set_behaviour(context, settings, process);
  set_versions(context, settings.versions);
  set_ciphers(context, settings, faults);
  for (std::size_t i = 0; i < settings.certificates.size(); ++i) {
    const NamedFile& certificate = settings.certificates[i];
    const NamedFile& key = i < settings.keys.size() ? settings.keys[i] : certificate;
    use_key_pair(context, {certificate, key, identity, i, settings.chain.has_value()}, material,
                 faults);
  }
  use_curve(context, settings, material);
  if (settings.ticket_key) use_ticket_key(context, *settings.ticket_key, material.access(), faults);
  if (settings.chain) add_chain(context, settings, material, faults);
  ask_for_certificates(context, settings, material, faults);
  obey_commands(context, settings, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  if (settings.stapling.is_on) made.staples = staple(context, settings.stapling);
  made.certificates_text = text_of_names(settings);
  made.verification_text = text_of_verification(settings);
  made.rules_text = text_of_rules(settings);
  name_sessions(context, identity + '\n' + text_of_certificates(context) + made.verification_text +
                             made.rules_text);
  return made;
}

}  // namespace steelyard::tls
