#include "tls/own_certificates.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/check.hpp"
#include "tls/library_errors.hpp"
#include "tls/pem.hpp"
#include "tls/trust.hpp"

namespace steelyard::tls {

namespace {

using config::NamedFile;

void free_certificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
using Certificates = std::unique_ptr<STACK_OF(X509), Release<free_certificates>>;

struct OwnCertificate {
  CertificateHandle certificate;
  KeyHandle key;
  Certificates between;  // shown with it; null: the library looks for them in what it believes
  Certificates chain;    // as far as it is known, beginning with the certificate; may be null

  bool leads_to(const X509_NAME* authority) const {
    const auto is_of = [authority](const X509* one) {
      return X509_NAME_cmp(X509_get_issuer_name(one), authority) == 0;
    };
    if (is_of(certificate.get())) return true;
    for (int i = 0; chain && i < sk_X509_num(chain.get()); ++i)
      if (is_of(sk_X509_value(chain.get(), i))) return true;
    return false;
  }
};
using OwnCertificates = std::vector<OwnCertificate>;

void release(void* /*context*/, void* own, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*number*/,
             void* /*pointer*/) {
  delete static_cast<OwnCertificates*>(own);
}

int own_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, release);
  return index;
}

const OwnCertificate* choose(const OwnCertificates& own, const STACK_OF(X509_NAME) * authorities) {
  const int count = authorities == nullptr ? 0 : sk_X509_NAME_num(authorities);
  if (count <= 0) return &own.front();
  for (int i = 0; i < count; ++i) {
    const X509_NAME* const authority = sk_X509_NAME_value(authorities, i);
    const auto found = std::ranges::find_if(
        own, [authority](const OwnCertificate& each) { return each.leads_to(authority); });
    if (found != own.end()) return &*found;
  }
  return nullptr;
}

bool use(SSL* ssl, const OwnCertificate& own) {
  return SSL_use_cert_and_key(ssl, own.certificate.get(), own.key.get(), own.between.get(), 1) == 1;
}

// The library's call when a member asks for a certificate; 0 would end the handshake.
int answer_member(SSL* ssl, void* /*pointer*/) {
  const void* const own = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), own_index());
  const auto* const chosen =
      choose(*static_cast<const OwnCertificates*>(own), SSL_get_client_CA_list(ssl));
  // Of an earlier question on the same connection (TLS 1.3).
  SSL_certs_clear(ssl);
  return chosen == nullptr || use(ssl, *chosen) ? 1 : 0;
}

Fault fault_of(const NamedFile& file, const std::string& what, std::string advice) {
  return {file.place, file.path + ' ' + what, std::move(advice)};
}

constexpr std::string_view both_belong_here =
    "It holds the certificate and its key, both in PEM, one behind the other.";

// Gives each key its certificate; what stays behind lies between them and an authority.
void join(const NamedFile& file, std::vector<CertificateHandle> certificates,
          std::vector<KeyHandle> keys, OwnCertificates& own, Faults& faults) {
  OwnCertificates found;
  for (CertificateHandle& certificate : certificates) {
    const auto key = std::ranges::find_if(keys, [&certificate](const KeyHandle& each) {
      return X509_check_private_key(certificate.get(), each.get()) == 1;
    });
    if (key == keys.end()) continue;
    found.push_back({std::move(certificate), std::move(*key), nullptr, nullptr});
    keys.erase(key);
  }
  ERR_clear_error();
  if (!keys.empty()) {
    faults.push_back(fault_of(file, "holds a key that belongs to none of its certificates",
                              std::string(both_belong_here)));
    return;
  }
  std::erase(certificates, nullptr);
  for (OwnCertificate& each : found) {
    if (!certificates.empty()) each.between.reset(sk_X509_new_null());
    for (const CertificateHandle& one : certificates)
      CHECK(X509_add_cert(each.between.get(), one.get(), X509_ADD_FLAG_UP_REF) == 1);
    own.push_back(std::move(each));
  }
}

enum class Where : std::uint8_t { named, in_a_directory };

void read_file(const NamedFile& file, Where where, const FileAccess& files, OwnCertificates& own,
               Faults& faults) {
  const auto text = files.read(file.path);
  if (!text)
    return faults.push_back(fault_of(file, "cannot be read: " + text.error(),
                                     "It has to be readable for who starts the server."));
  if (where == Where::in_a_directory && !text->contains("CERTIFICATE-----") &&
      !text->contains("PRIVATE KEY-----"))
    return;
  auto certificates = read_certificates(*text);
  auto keys = read_keys(*text);
  if (!certificates)
    faults.push_back(fault_of(file, certificates.error(), std::string(both_belong_here)));
  if (!keys && keys.error().is_locked) {
    faults.push_back(fault_of(file, keys.error().text + ", which nobody is asked for",
                              "Take it off, and let only root read the file: openssl pkey -in FILE "
                              "-out NEW."));
  } else if (!keys) {
    faults.push_back(fault_of(file, keys.error().text, std::string(both_belong_here)));
  }
  if (certificates && keys) join(file, std::move(*certificates), std::move(*keys), own, faults);
}

// What they hold is of this context alone; the digests of all.
std::string read_all(const config::TlsBackendSettings& settings, Material& material,
                     OwnCertificates& own, Faults& faults) {
  std::string contents;
  FileAccess files = material.access();
  files.read = [&](const std::string& path) {
    auto text = material.access().read(path);
    if (text) contents += digest_of(*text);
    return text;
  };
  if (settings.own_file) read_file(*settings.own_file, Where::named, files, own, faults);
  if (!settings.own_path) return contents;
  for (const NamedFile& each : files_of(*settings.own_path, material, faults))
    read_file(each, Where::in_a_directory, files, own, faults);
  return contents;
}

// What lies above each certificate, as far as the library finds it. httpd, too, takes what it finds
// when the whole is not good.
void find_chains(SSL_CTX& context, OwnCertificates& own) {
  const std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>> search(X509_STORE_CTX_new());
  CHECK(search);
  for (OwnCertificate& each : own) {
    CHECK(X509_STORE_CTX_init(search.get(), SSL_CTX_get_cert_store(&context),
                              each.certificate.get(), each.between.get()) == 1);
    X509_verify_cert(search.get());
    each.chain.reset(X509_STORE_CTX_get1_chain(search.get()));
    X509_STORE_CTX_cleanup(search.get());
  }
  ERR_clear_error();
}

// The library refuses some for their keys' size (its security level): better now than then.
void try_all(SSL_CTX& context, const OwnCertificates& own, const config::Place& place,
             Faults& faults) {
  const SslHandle connection(SSL_new(&context));
  CHECK(connection);
  ERR_clear_error();
  for (const OwnCertificate& each : own) {
    if (use(connection.get(), each)) continue;
    faults.push_back({place,
                      "a certificate for members cannot be used: " +
                          take_library_errors("the library refuses it"),
                      "The security level of openssl.cnf may ask for longer keys."});
  }
}

}  // namespace

std::string show_own_certificates(SSL_CTX& context, const config::TlsBackendSettings& settings,
                                  Material& material, Faults& faults) {
  auto own = std::make_unique<OwnCertificates>();
  std::string contents = read_all(settings, material, *own, faults);
  if (own->empty()) return contents;
  if (settings.own_chain) contents += add_trust(context, *settings.own_chain, material, faults);
  // httpd: without the file only who signed the certificate itself counts.
  if (settings.own_chain ||
      std::ranges::any_of(*own, [](const OwnCertificate& each) { return each.between != nullptr; }))
    find_chains(context, *own);
  const config::Place place =
      settings.own_file ? settings.own_file->place : settings.own_path->place;
  try_all(context, *own, place, faults);
  SSL_CTX_set_ex_data(&context, own_index(), own.release());
  SSL_CTX_set_cert_cb(&context, answer_member, nullptr);
  SSL_CTX_set_post_handshake_auth(&context, 1);
  return contents;
}

}  // namespace steelyard::tls
