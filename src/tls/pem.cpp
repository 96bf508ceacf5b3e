#include "tls/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <limits>

#include "tls/library_errors.hpp"

namespace steelyard::tls {

namespace {

BioHandle bio_over(std::string_view text) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), most))));
}

struct Question {
  const std::string* phrase;
  bool was_asked = false;
};

// The library's: -1 when there is none, or none that it has room for.
int tell_pass_phrase(char* room, int size, int /*for_writing*/, void* question) {
  auto& asked = *static_cast<Question*>(question);
  asked.was_asked = true;
  if (asked.phrase == nullptr || asked.phrase->size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(*asked.phrase, room);
  return static_cast<int>(asked.phrase->size());
}

// What has not been read yet.
std::string_view rest_of(BIO& bio) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(&bio, &text);
  return {text, static_cast<std::size_t>(std::max(bytes, 0L))};
}

bool has_key(std::string_view pem) { return pem.contains("PRIVATE KEY-----"); }

std::expected<KeyHandle, KeyFault> next_key(BIO& bio, const std::string* phrase) {
  const bool is_there = has_key(rest_of(bio));
  Question question{phrase};
  ERR_clear_error();
  KeyHandle key(PEM_read_bio_PrivateKey(&bio, nullptr, tell_pass_phrase, &question));
  if (key) {
    ERR_clear_error();
    return key;
  }
  std::string words = take_library_errors("not readable");
  if (question.was_asked) return std::unexpected(KeyFault{"holds a key with a pass phrase", true});
  if (!is_there) return std::unexpected(KeyFault{"holds no private key in PEM"});
  return std::unexpected(KeyFault{"holds a malformed private key: " + std::move(words)});
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

int read_curve(std::string_view pem) {
  const BioHandle bio = bio_over(pem);
  int curve = NID_undef;
  while (EVP_PKEY* const read = PEM_read_bio_Parameters(bio.get(), nullptr)) {
    const KeyHandle parameters(read);
    std::array<char, 64> name{};
    const bool is_named = EVP_PKEY_is_a(read, "EC") == 1 &&
                          EVP_PKEY_get_group_name(read, name.data(), name.size(), nullptr) == 1;
    if (!is_named) continue;
    curve = OBJ_sn2nid(name.data());
    break;
  }
  ERR_clear_error();
  return curve;
}

std::expected<std::vector<RevocationListHandle>, std::string> read_revocation_lists(
    std::string_view pem) {
  std::vector<RevocationListHandle> lists;
  const BioHandle bio = bio_over(pem);
  ERR_clear_error();
  while (X509_CRL* const list = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr))
    lists.emplace_back(list);
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_end)
    return std::unexpected("holds a damaged list of revoked certificates: " +
                           take_library_errors("not readable"));
  ERR_clear_error();
  return lists;
}

std::expected<KeyHandle, KeyFault> read_key(std::string_view pem, const std::string* phrase) {
  return next_key(*bio_over(pem), phrase);
}

std::expected<std::vector<KeyHandle>, KeyFault> read_keys(std::string_view pem) {
  std::vector<KeyHandle> keys;
  const BioHandle bio = bio_over(pem);
  do {
    auto key = next_key(*bio, nullptr);
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back(std::move(*key));
  } while (has_key(rest_of(*bio)));
  return keys;
}

}  // namespace steelyard::tls
