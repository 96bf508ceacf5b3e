#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "config/tls_settings.hpp"
#include "tls/handles.hpp"

// What a certificate's authority says of it, shown to clients together with it (stapling: RFC 6066
// 8, RFC 6961; what is said: OCSP, RFC 6960; httpd: SSLUseStapling). Who fetches it is another's
// business; no handshake waits for that.
//
// Invariants: 1. only an answer that verifies, is about this certificate, is in force and says
//                "good" is shown; without one nothing is.
// Threads: the answer is read by handshakes on any thread and set by one.

namespace steelyard::tls {

class Staple {
 public:
  // Of the certificate that `context` uses right now. The error is why it can have none.
  static std::expected<std::shared_ptr<Staple>, std::string> make(
      SSL_CTX& context, const config::TlsStapling& settings);
  ~Staple();
  Staple(const Staple&) = delete;
  Staple& operator=(const Staple&) = delete;

  // The certificate and who is asked: equal in all generations.
  const std::string& identity() const { return identity_; }
  const std::string& subject() const { return subject_; }  // for people
  const std::string& url() const { return url_; }
  const std::string& request() const { return request_; }  // what is asked, ready to be posted
  const config::TlsStapling& settings() const { return settings_; }
  bool is_of(const X509* certificate) const;

  // What the authority answered (DER). The error is why it is of no use.
  std::expected<void, std::string> take(std::string_view answer, WallTime now);
  // That of an earlier generation.
  void take_over(const Staple& earlier);
  // Null when there is none in force.
  std::shared_ptr<const std::string> answer(WallTime now) const;
  WallTime good_until() const;

 private:
  Staple(CertificateHandle certificate, CertificateHandle issuer,
         const config::TlsStapling& settings);

  const CertificateHandle certificate_, issuer_;
  const config::TlsStapling settings_;
  std::string identity_, subject_, url_, request_;
  mutable std::mutex lock_;  // guards the next two
  std::shared_ptr<const std::string> answer_;
  WallTime good_until_{};
};

// Those of one context: one for each of its certificates that can have one.
struct Staples {
  std::vector<std::shared_ptr<Staple>> all;
  std::vector<std::string> remarks;  // for people: which certificates can have none, and why
};

// Makes them, and has the context show them. They live as long as it: connections keep it.
std::shared_ptr<Staples> staple(SSL_CTX& context, const config::TlsStapling& settings);

}  // namespace steelyard::tls
