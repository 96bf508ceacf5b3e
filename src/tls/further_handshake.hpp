#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "config/path_tls.hpp"
#include "tls/stream.hpp"
#include "tls/verification.hpp"

// What a path asks of a client that shook hands long ago (httpd: SSLVerifyClient, SSLVerifyDepth
// and SSLCipherSuite in sections): a certificate after the handshake (TLS 1.3, RFC 8446 4.6.2), or
// a renegotiation that the server begins (up to TLS 1.2, RFC 5746). What a client begins stays
// refused.
//
//   ask ─▶ the client's answer, read where text is read ─▶ its Finished ─▶ what it showed counts
//
// Invariants: 1. what was refused changes nothing: the next request for the path is asked again.
//             2. a client that sends text instead of an answer is not read any further.
// Threads: the connection's.

namespace steelyard::tls {

struct Wish {
  // Whose authorities count: those of the server that was asked, as it is configured now.
  SSL_CTX* context = nullptr;
  config::PeerVerify verify = config::PeerVerify::none;  // the path's word, else the server's
  bool asks = false, requires_one = false;               // a certificate, by either's word
  int depth = 1;
  bool needs_no_crl = false;
  const std::string* ciphers = nullptr;  // up to TLS 1.2; null: any
  bool keeps_cipher = false;             // the one in use will do if it is among them
};

enum class Unmet : std::uint8_t {
  nothing,
  certificate,
  ciphers,
  bad_ciphers,  // the library knows none of them
};
Unmet unmet(SSL* ssl, const Wish& wish);

class FurtherHandshake {
 public:
  // `stream` and `wish` live longer.
  FurtherHandshake(TlsStream& stream, const Wish& wish);
  FurtherHandshake(const FurtherHandshake&) = delete;
  FurtherHandshake& operator=(const FurtherHandshake&) = delete;
  ~FurtherHandshake();

  // The client could have sent words before it that would count as those of who it turns out to be.
  bool renegotiates() const;
  // False: fault() says why the client cannot be asked; it can still be answered.
  bool begin();
  // After begin(); blocked: TlsStream::wait_for_peer().
  TlsStream::Handshake go_on();
  // It came to its end, whatever the client showed.
  bool was_heard() const { return heard_; }
  // Once it is done: the client showed what it has to.
  bool is_granted() const { return granted_; }
  // Nothing but this connection's end is left to it.
  bool broke() const { return broke_; }
  const std::string& fault() const { return fault_; }

 private:
  static void heed_message(int is_written, int version, int type, const void* bytes,
                           std::size_t count, SSL* ssl, void* self);
  bool refuse(std::string why);
  void judge();

  TlsStream& stream_;
  const Wish& wish_;
  const int mode_before_;
  std::uint64_t options_before_;
  bool sent_ = false, heard_finished_ = false, heard_ = false, granted_ = false, broke_ = false;
  bool took_rules_ = false;
  std::string fault_;
  // Of before, for who is refused.
  std::unique_ptr<const VerifyRules> rules_before_;
  std::string ciphers_before_;
};

}  // namespace steelyard::tls
