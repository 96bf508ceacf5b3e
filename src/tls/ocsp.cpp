#include "tls/ocsp.hpp"

#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "base/check.hpp"
#include "tls/library_errors.hpp"

namespace steelyard::tls {

namespace {

struct UrlsRelease {
  void operator()(STACK_OF(OPENSSL_STRING) * urls) const { X509_email_free(urls); }
};

}  // namespace

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned bytes = 0;
  CHECK(X509_digest(certificate, EVP_sha256(), digest.data(), &bytes) == 1);
  return {reinterpret_cast<const char*>(digest.data()), bytes};
}

std::vector<std::string> ocsp_urls_of(X509* certificate) {
  const std::unique_ptr<STACK_OF(OPENSSL_STRING), UrlsRelease> urls(X509_get1_ocsp(certificate));
  const int count = urls == nullptr ? 0 : sk_OPENSSL_STRING_num(urls.get());
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) texts.emplace_back(sk_OPENSSL_STRING_value(urls.get(), i));
  return texts;
}

OcspIdHandle ocsp_id_of(const X509* certificate, const X509* issuer) {
  OcspIdHandle id(OCSP_cert_to_id(EVP_sha1(), certificate, issuer));
  CHECK(id);
  return id;
}

std::string bytes_of(const OCSP_REQUEST* request) {
  unsigned char* bytes = nullptr;
  const int count = i2d_OCSP_REQUEST(request, &bytes);
  CHECK(count > 0);
  std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  OPENSSL_free(bytes);
  return text;
}

std::expected<OcspBasicHandle, std::string> read_ocsp_answer(std::string_view answer) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(answer.data());
  const OcspResponseHandle response(
      d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(answer.size())));
  if (response == nullptr) return because("that is no OCSP answer");
  const int said = OCSP_response_status(response.get());
  if (said != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return std::unexpected(std::string("it says ") + OCSP_response_status_str(said));
  OcspBasicHandle basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr) return because("that is no basic OCSP answer");
  return basic;
}

WallTime time_of(const ASN1_GENERALIZEDTIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::unexpected<std::string> because(const std::string& what) {
  const std::string why = take_library_errors("");
  return std::unexpected(why.empty() ? what : what + " (" + why + ")");
}

}  // namespace steelyard::tls
