#include "tls/ticket_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <cstring>
#include <memory>

namespace steelyard::tls {

namespace {

constexpr std::size_t part_bytes = 16;

struct TicketKey {
  std::array<unsigned char, part_bytes> name, hmac_secret, aes_key;

  ~TicketKey() { OPENSSL_cleanse(this, sizeof *this); }
};

void free_key(void* /*context*/, void* key, CRYPTO_EX_DATA* /*data*/, int /*index*/,
              long /*number*/, void* /*pointer*/) {
  delete static_cast<TicketKey*>(key);
}

int key_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_key);
  return index;
}

// The keys of contexts live as long as those, and a connection holds the one that it began with.
int connection_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The library's call: makes both contexts ready. 0: the ticket is not one of this key.
int prepare(SSL* ssl, unsigned char* name, unsigned char* vector, EVP_CIPHER_CTX* cipher,
            EVP_MAC_CTX* mac, int encrypts) {
  auto* const key = static_cast<TicketKey*>(SSL_get_ex_data(ssl, connection_index()));
  if (key == nullptr) return 0;
  if (encrypts != 0) {
    std::memcpy(name, key->name.data(), part_bytes);
    if (RAND_bytes(vector, EVP_CIPHER_get_iv_length(EVP_aes_128_cbc())) != 1) return -1;
  } else if (CRYPTO_memcmp(name, key->name.data(), part_bytes) != 0) {
    return 0;
  }
  std::array<char, 7> digest{"SHA256"};
  const std::array parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac_secret.data(), part_bytes),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const bool is_ready = EVP_MAC_CTX_set_params(mac, parameters.data()) == 1 &&
                        EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), nullptr, key->aes_key.data(),
                                          vector, encrypts) == 1;
  return is_ready ? 1 : -1;
}

}  // namespace

void use_ticket_key(SSL_CTX& context, const config::NamedFile& file, const FileAccess& files,
                    Faults& faults) {
  auto bytes = files.read(file.path);
  if (!bytes) {
    return faults.push_back({file.place, file.path + " cannot be read: " + bytes.error(),
                             "It has to be readable for who starts the server."});
  }
  if (bytes->size() != 3 * part_bytes) {
    return faults.push_back({file.place,
                             file.path + " has " + std::to_string(bytes->size()) +
                                 " bytes; the key of session tickets has 48",
                             "Make one: openssl rand -out FILE 48"});
  }
  auto key = std::make_unique<TicketKey>();
  std::memcpy(key->name.data(), bytes->data(), part_bytes);
  std::memcpy(key->hmac_secret.data(), bytes->data() + part_bytes, part_bytes);
  std::memcpy(key->aes_key.data(), bytes->data() + 2 * part_bytes, part_bytes);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  SSL_CTX_set_ex_data(&context, key_index(), key.release());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, prepare);
}

void keep_ticket_key(SSL* ssl, SSL_CTX& context) {
  if (void* const key = SSL_CTX_get_ex_data(&context, key_index()); key != nullptr)
    SSL_set_ex_data(ssl, connection_index(), key);
}

}  // namespace steelyard::tls
