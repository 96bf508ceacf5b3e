#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tls/ocsp.hpp"
#include "tls/testing.hpp"

// Authorities that say in OCSP's words what a test wants them to. For tests only.

namespace steelyard::tls::testing {

inline void add(X509* certificate, int extension, const std::string& value) {
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  CHECK(made != nullptr);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

enum class Kind : std::uint8_t { authority, client };

inline KeyPair make_root() {
  KeyPair pair = make_key_pair("root");
  add(pair.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  CHECK(X509_sign(pair.certificate.get(), pair.key.get(), EVP_sha256()) != 0);
  return pair;
}

// An empty URL names nobody.
inline KeyPair issue(const std::string& name, Kind kind, const KeyPair& issuer,
                     const std::string& url) {
  KeyPair pair = make_key_pair(name);
  X509* const certificate = pair.certificate.get();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), kind == Kind::authority ? 8 : 9);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  if (kind == Kind::authority) add(certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (!url.empty()) add(certificate, NID_info_access, "OCSP;URI:" + url);
  CHECK(X509_sign(certificate, issuer.key.get(), EVP_sha256()) != 0);
  return pair;
}

// How an authority answers.
struct Manner {
  int status = V_OCSP_CERTSTATUS_GOOD;
  std::chrono::seconds since = std::chrono::hours(-1);
  std::optional<std::chrono::seconds> until = std::chrono::hours(1);
  const KeyPair* signer = nullptr;
  enum class Nonce : std::uint8_t { same, none, other } nonce = Nonce::same;
  bool is_about_another = false;
};

inline std::string answer(std::string_view asked, const KeyPair& signer, const Manner& manner) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(asked.data());
  const OcspRequestHandle request(
      d2i_OCSP_REQUEST(nullptr, &bytes, static_cast<long>(asked.size())));
  CHECK(request);
  const auto time = [](std::chrono::seconds offset) {
    return std::unique_ptr<ASN1_GENERALIZEDTIME, Release<ASN1_GENERALIZEDTIME_free>>(
        ASN1_GENERALIZEDTIME_adj(nullptr, ::time(nullptr), 0, offset.count()));
  };
  const auto begin = time(manner.since), end = time(manner.until.value_or(std::chrono::seconds(0))),
             revoked = time(std::chrono::hours(-1));
  const OcspBasicHandle basic(OCSP_BASICRESP_new());
  OCSP_CERTID* id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), 0));
  const KeyPair other = issue("other", Kind::authority, signer, "");
  const OcspIdHandle another = ocsp_id_of(other.certificate.get(), signer.certificate.get());
  if (manner.is_about_another) id = another.get();
  const bool is_revoked = manner.status == V_OCSP_CERTSTATUS_REVOKED;
  CHECK(OCSP_basic_add1_status(basic.get(), id, manner.status, OCSP_REVOKED_STATUS_NOSTATUS,
                               is_revoked ? revoked.get() : nullptr, begin.get(),
                               manner.until ? end.get() : nullptr) != nullptr);
  if (manner.nonce == Manner::Nonce::same) OCSP_copy_nonce(basic.get(), request.get());
  if (manner.nonce == Manner::Nonce::other) OCSP_basic_add1_nonce(basic.get(), nullptr, -1);
  CHECK(OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(), EVP_sha256(),
                        nullptr, 0) == 1);
  const OcspResponseHandle response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* out = nullptr;
  const int count = i2d_OCSP_RESPONSE(response.get(), &out);
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(count));
  OPENSSL_free(out);
  return text;
}

}  // namespace steelyard::tls::testing
