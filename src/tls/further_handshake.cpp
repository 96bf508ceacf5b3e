#include "tls/further_handshake.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string_view>
#include <vector>

#include "tls/library_errors.hpp"

namespace steelyard::tls {

namespace {

struct CiphersRelease {
  void operator()(STACK_OF(SSL_CIPHER) * ciphers) const { sk_SSL_CIPHER_free(ciphers); }
};
using Ciphers = std::unique_ptr<STACK_OF(SSL_CIPHER), CiphersRelease>;

bool has_tls_1_3(const SSL* ssl) { return SSL_version(ssl) >= TLS1_3_VERSION; }

int mode_of(const Wish& wish) {
  if (wish.requires_one) return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  return wish.asks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
}

// httpd: what asks for less than what was asked for already changes nothing.
bool lacks_certificate(SSL* ssl, const Wish& wish) {
  const int mode = mode_of(wish);
  if ((mode & ~SSL_get_verify_mode(ssl)) != 0) return true;
  return mode != SSL_VERIFY_NONE && wish.depth < verification_depth(ssl);
}

// What the library makes of the words; null: nothing.
Ciphers ciphers_of(SSL* ssl, const std::string& words) {
  const SslHandle scratch(SSL_new(SSL_get_SSL_CTX(ssl)));
  Ciphers listed;
  if (scratch != nullptr && SSL_set_cipher_list(scratch.get(), words.c_str()) == 1)
    listed.reset(sk_SSL_CIPHER_dup(SSL_get_ciphers(scratch.get())));
  ERR_clear_error();
  return listed;
}

// RFC 8446 B.4: 0x13, and its number.
bool is_of_1_3(const SSL_CIPHER* cipher) { return SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13; }

// Those of TLS 1.3 are a setting of their own, which a path has no word about: a connection has its
// first virtual host's.
std::vector<std::uint32_t> before_1_3(const STACK_OF(SSL_CIPHER) * ciphers) {
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(ciphers, i);
    const bool is_1_3 = is_of_1_3(cipher);
    if (!is_1_3) ids.push_back(SSL_CIPHER_get_id(cipher));
  }
  return ids;
}

// As words that SSL_set_cipher_list() takes.
std::string words_of(const STACK_OF(SSL_CIPHER) * ciphers) {
  std::string words;
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(ciphers, i);
    if (is_of_1_3(cipher)) continue;
    words.append(words.empty() ? "" : ":").append(SSL_CIPHER_get_name(cipher));
  }
  return words;
}

bool holds(const STACK_OF(SSL_CIPHER) * ciphers, const SSL_CIPHER* wanted) {
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    if (SSL_CIPHER_get_id(sk_SSL_CIPHER_value(ciphers, i)) == SSL_CIPHER_get_id(wanted))
      return true;
  }
  return false;
}

Unmet unmet_ciphers(SSL* ssl, const Wish& wish) {
  if (wish.ciphers == nullptr || has_tls_1_3(ssl)) return Unmet::nothing;
  const Ciphers listed = ciphers_of(ssl, *wish.ciphers);
  if (listed == nullptr) return Unmet::bad_ciphers;
  const bool suits = wish.keeps_cipher
                         ? holds(listed.get(), SSL_get_current_cipher(ssl))
                         : before_1_3(listed.get()) == before_1_3(SSL_get_ciphers(ssl));
  return suits ? Unmet::nothing : Unmet::ciphers;
}

}  // namespace

Unmet unmet(SSL* ssl, const Wish& wish) {
  if (const Unmet lacking = unmet_ciphers(ssl, wish); lacking != Unmet::nothing) return lacking;
  return lacks_certificate(ssl, wish) ? Unmet::certificate : Unmet::nothing;
}

FurtherHandshake::FurtherHandshake(TlsStream& stream, const Wish& wish)
    : stream_(stream),
      wish_(wish),
      mode_before_(SSL_get_verify_mode(stream.ssl())),
      options_before_(SSL_get_options(stream.ssl())) {
  SSL_set_msg_callback(stream.ssl(), heed_message);
  SSL_set_msg_callback_arg(stream.ssl(), this);
}

FurtherHandshake::~FurtherHandshake() {
  SSL* const ssl = stream_.ssl();
  SSL_set_msg_callback(ssl, nullptr);
  SSL_set_msg_callback_arg(ssl, nullptr);
  SSL_clear_options(ssl, SSL_get_options(ssl) & ~options_before_);
  SSL_set_options(ssl, options_before_);
  if (granted_) return;
  SSL_set_verify(ssl, mode_before_, SSL_get_verify_callback(ssl));
  if (took_rules_) put_back_rules(*ssl, std::move(rules_before_));
  if (!ciphers_before_.empty()) SSL_set_cipher_list(ssl, ciphers_before_.c_str());
  ERR_clear_error();
}

void FurtherHandshake::heed_message(int is_written, int /*version*/, int type, const void* bytes,
                                    std::size_t count, SSL* /*ssl*/, void* self) {
  const bool is_finished = is_written == 0 && type == SSL3_RT_HANDSHAKE && count != 0 &&
                           *static_cast<const unsigned char*>(bytes) == SSL3_MT_FINISHED;
  if (is_finished) static_cast<FurtherHandshake*>(self)->heard_finished_ = true;
}

bool FurtherHandshake::refuse(std::string why) {
  fault_ = std::move(why);
  return false;
}

bool FurtherHandshake::renegotiates() const { return !has_tls_1_3(stream_.ssl()); }

bool FurtherHandshake::begin() {
  SSL* const ssl = stream_.ssl();
  // Configured by a reload, while the connection was open: others are not given to the kernel.
  if (renegotiates() && stream_.is_encrypted_by_kernel())
    return refuse("the kernel encrypts, and cannot renegotiate");
  SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(wish_.context));
  SSL_set_client_CA_list(ssl, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(wish_.context)));
  ERR_clear_error();
  if (wish_.ciphers != nullptr && !has_tls_1_3(ssl)) {
    ciphers_before_ = words_of(SSL_get_ciphers(ssl));
    if (SSL_set_cipher_list(ssl, wish_.ciphers->c_str()) != 1)
      return refuse(take_library_errors("no cipher is left"));
  }
  // Less than what was asked for is not asked for.
  const int mode = mode_of(wish_) | mode_before_;
  rules_before_ = take_own_rules(*ssl);
  took_rules_ = true;
  set_verification(
      *ssl, {.verify = wish_.verify, .depth = wish_.depth, .needs_no_crl = wish_.needs_no_crl},
      mode);
  if (has_tls_1_3(ssl)) {
    if (SSL_verify_client_post_handshake(ssl) == 1) return true;
    return refuse(take_library_errors("the client cannot be asked"));
  }
  // A session that the client resumes would show what it showed when that began.
  SSL_set_options(ssl, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
  SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
  SSL_set_verify_result(ssl, X509_V_OK);
  if (SSL_renegotiate(ssl) == 1) return true;
  return refuse(take_library_errors("the client cannot renegotiate"));
}

TlsStream::Handshake FurtherHandshake::go_on() {
  using Handshake = TlsStream::Handshake;
  if (!sent_) {
    const Handshake asked = stream_.ask_again();
    if (asked == Handshake::blocked) return asked;
    sent_ = asked == Handshake::done;
  }
  const Handshake heard = sent_ ? stream_.hear_answer(heard_finished_) : Handshake::failed;
  if (heard == Handshake::done) judge();
  if (heard == Handshake::failed) {
    broke_ = stream_.is_broken();
    fault_ = stream_.fault();
  }
  return heard;
}

void FurtherHandshake::judge() {
  heard_ = true;
  SSL* const ssl = stream_.ssl();
  if (wish_.requires_one && SSL_get_verify_result(ssl) != X509_V_OK) {
    fault_ = "AH02262: Re-negotiation handshake failed: Client verification failed";
  } else if (wish_.requires_one && SSL_get0_peer_certificate(ssl) == nullptr) {
    fault_ = "AH02263: Re-negotiation handshake failed: Client certificate missing";
  } else {
    granted_ = true;
  }
}

}  // namespace steelyard::tls
