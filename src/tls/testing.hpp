#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <map>
#include <string>

#include "base/check.hpp"
#include "tls/files.hpp"
#include "tls/handles.hpp"

// Keys and certificates made where a test runs. For tests only.

namespace steelyard::tls::testing {

struct KeyPair {
  CertificateHandle certificate;
  KeyHandle key;
  std::string certificate_pem, key_pem;
};

inline std::string text_in(BIO* bio) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(bytes)};
}

inline std::string pem_of(const CertificateHandle& certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return text_in(bio.get());
}

// Of `name`, by itself; on the curve P-256, good for a day.
inline KeyPair make_key_pair(const std::string& name) {
  KeyPair pair;
  pair.key.reset(EVP_EC_gen("P-256"));
  CHECK(pair.key);
  pair.certificate.reset(X509_new());
  X509* const certificate = pair.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  constexpr long day_seconds = 24L * 3600;
  X509_gmtime_adj(X509_getm_notAfter(certificate), day_seconds);
  X509_set_pubkey(certificate, pair.key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  CHECK(X509_sign(certificate, pair.key.get(), EVP_sha256()) != 0);
  pair.certificate_pem = pem_of(pair.certificate);
  const BioHandle key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_bio.get(), pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  pair.key_pem = text_in(key_bio.get());
  return pair;
}

// Of the pair's own name, with one entry or none.
inline std::string revocation_list(const KeyPair& pair, const X509* revoked = nullptr) {
  const RevocationListHandle list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(pair.certificate.get()));
  X509_CRL_set1_lastUpdate(list.get(), X509_get0_notBefore(pair.certificate.get()));
  X509_CRL_set1_nextUpdate(list.get(), X509_get0_notAfter(pair.certificate.get()));
  if (revoked != nullptr) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry,
                                  const_cast<ASN1_INTEGER*>(X509_get0_serialNumber(revoked)));
    X509_REVOKED_set_revocationDate(
        entry, const_cast<ASN1_TIME*>(X509_get0_notBefore(pair.certificate.get())));
    CHECK(X509_CRL_add0_revoked(list.get(), entry) == 1);
  }
  CHECK(X509_CRL_sign(list.get(), pair.key.get(), EVP_sha256()) != 0);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), list.get());
  return text_in(bio.get());
}

// As far as it goes, in memory.
inline void shake_hands(SSL* client, SSL* server) {
  BIO* one = nullptr;
  BIO* other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
  for (int i = 0; i < 10; ++i) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
  }
}

// Reads what a map holds, which outlives it.
inline FileAccess files_from(const std::map<std::string, std::string>& contents) {
  return {[&contents](const std::string& path) -> std::expected<std::string, std::string> {
            const auto found = contents.find(path);
            if (found == contents.end()) return std::unexpected("No such file or directory");
            return found->second;
          },
          [](const std::string&) -> std::expected<std::vector<std::string>, std::string> {
            return std::unexpected("No such file or directory");
          }};
}

}  // namespace steelyard::tls::testing
