#include "tls/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits>

#include "tls/library_errors.hpp"

namespace steelyard::tls {

namespace {

BioHandle bio_over(std::string_view text) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), most))));
}

// Nobody is there to be asked; it is noted that somebody would have been.
int no_pass_phrase(char* /*room*/, int /*size*/, int /*for_writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

std::expected<std::vector<CertificateHandle>, std::string> read_certificates(std::string_view pem) {
  std::vector<CertificateHandle> certificates;
  const BioHandle bio = bio_over(pem);
  ERR_clear_error();
  while (X509* const certificate = PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(certificate);
  const unsigned long error = ERR_peek_last_error();
  const bool is_end = ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!certificates.empty() && is_end) {
    ERR_clear_error();
    return certificates;
  }
  if (is_end) {
    ERR_clear_error();
    return std::unexpected("holds no certificate in PEM");
  }
  return std::unexpected("holds a malformed certificate: " + take_library_errors("not readable"));
}

std::expected<KeyHandle, std::string> read_key(std::string_view pem) {
  const BioHandle bio = bio_over(pem);
  bool asked = false;
  ERR_clear_error();
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, &asked));
  if (key) {
    ERR_clear_error();
    return key;
  }
  const bool is_missing = pem.find("PRIVATE KEY-----") == std::string_view::npos;
  std::string words = take_library_errors("not readable");
  if (asked) return std::unexpected("holds a key with a pass phrase, which nobody is asked for");
  if (is_missing) return std::unexpected("holds no private key in PEM");
  return std::unexpected("holds a malformed private key: " + std::move(words));
}

}  // namespace steelyard::tls
