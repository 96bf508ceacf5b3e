#include "tls/verification.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstdint>
#include <memory>

namespace steelyard::tls {

namespace {

using config::PeerVerify;

void free_rules(void* /*context*/, void* rules, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                long /*number*/, void* /*pointer*/) {
  delete static_cast<VerifyRules*>(rules);
}

int rules_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_rules);
  return index;
}

int own_rules_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_rules);
  return index;
}

const VerifyRules* own_rules_of(const SSL* ssl) {
  return static_cast<const VerifyRules*>(SSL_get_ex_data(ssl, own_rules_index()));
}

const VerifyRules* rules_of(const SSL* ssl) {
  if (const VerifyRules* const own = own_rules_of(ssl); own != nullptr) return own;
  return static_cast<const VerifyRules*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), rules_index()));
}

// httpd: what optional_no_ca lets pass.
bool is_about_the_authority(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return true;
    default:
      return false;
  }
}

// The error that was let pass, of one verification.
int passed_error_index() {
  static const int index = X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The library's opinion of one certificate of a chain, and what is made of it. An error that is let
// pass stays the verification's result, so that a resumed session does not look like a verified
// one.
int judge(int is_good, X509_STORE_CTX* store) {
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const VerifyRules* const rules = rules_of(ssl);
  if (rules == nullptr) return is_good;
  const int error = X509_STORE_CTX_get_error(store);
  if (is_good == 0 && error == X509_V_ERR_UNABLE_TO_GET_CRL && rules->needs_no_crl) {
    const auto passed =
        reinterpret_cast<std::intptr_t>(X509_STORE_CTX_get_ex_data(store, passed_error_index()));
    X509_STORE_CTX_set_error(store, passed != 0 ? static_cast<int>(passed) : X509_V_OK);
    is_good = 1;
  }
  if (is_good == 0 && rules->verify == PeerVerify::optional_no_ca &&
      is_about_the_authority(error)) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the library keeps pointers only.
    auto* const passed = reinterpret_cast<void*>(static_cast<std::intptr_t>(error));
    X509_STORE_CTX_set_ex_data(store, passed_error_index(), passed);
    return 1;
  }
  if (X509_STORE_CTX_get_error_depth(store) > rules->depth) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return 0;
  }
  return is_good;
}

}  // namespace

void set_verification(SSL_CTX& context, const VerifyRules& rules) {
  int mode = SSL_VERIFY_NONE;
  if (rules.verify != PeerVerify::none) mode = SSL_VERIFY_PEER;
  if (rules.verify == PeerVerify::require) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_ex_data(&context, rules_index(), new VerifyRules(rules));
  SSL_CTX_set_verify(&context, mode, judge);
}

void set_verification(SSL& ssl, const VerifyRules& rules, int mode) {
  const std::unique_ptr<const VerifyRules> before(own_rules_of(&ssl));
  SSL_set_ex_data(&ssl, own_rules_index(), new VerifyRules(rules));
  SSL_set_verify(&ssl, mode, judge);
}

std::unique_ptr<const VerifyRules> take_own_rules(SSL& ssl) {
  std::unique_ptr<const VerifyRules> own(own_rules_of(&ssl));
  SSL_set_ex_data(&ssl, own_rules_index(), nullptr);
  return own;
}

void put_back_rules(SSL& ssl, std::unique_ptr<const VerifyRules> rules) {
  const auto others = take_own_rules(ssl);
  SSL_set_ex_data(&ssl, own_rules_index(), const_cast<VerifyRules*>(rules.release()));
}

int verification_depth(const SSL* ssl) {
  const VerifyRules* const rules = rules_of(ssl);
  return rules == nullptr ? VerifyRules().depth : rules->depth;
}

PeerStanding standing_of_peer(SSL* ssl) {
  if (SSL_get_verify_result(ssl) != X509_V_OK) return PeerStanding::failed;
  return SSL_get0_peer_certificate(ssl) != nullptr ? PeerStanding::success : PeerStanding::none;
}

}  // namespace steelyard::tls
