#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/log_level.hpp"
#include "config/tls_ocsp.hpp"
#include "tls/ocsp.hpp"

// Whether the certificates that a client showed are still good: their authorities are asked (OCSP,
// RFC 6960; httpd: SSLOCSPEnable).
//
//   handshake ─▶ about() ─▶ known()? ─▶ a Pursuit (pursuit.hpp) ─▶ finding
//
// The library verifies a client in one go, without a place to wait for somebody in. So this comes
// after the handshake, and before anything that the client asks for.
//
// Invariants: 1. only an answer that verifies, is about the certificate, is in force and says
//                "good" lets anybody in.
//             2. what was found good is believed for KnownGood::time_max at most, and for no longer
//                than the answer is in force; a reload forgets it.
// Threads: what is told an SSL the connection's; the rest any.

namespace steelyard::tls {

// Certificates that were found good a moment ago, of one server.
class KnownGood {
 public:
  static constexpr std::size_t count_max = 4096;
  static constexpr Duration time_max = std::chrono::seconds(30);

  bool holds(const std::string& certificate, WallTime now) const;
  void add(std::string certificate, WallTime until, WallTime now);

 private:
  mutable std::mutex lock_;
  std::map<std::string, WallTime> until_;
};

struct InquiryFinding {
  struct Remark {
    config::LogLevel level;
    std::string text;
  };
  bool is_good = false;
  std::vector<Remark> remarks{};  // for the log, oldest first
};

// By what one server asks.
struct InquiryRules {
  config::TlsOcsp settings;
  std::vector<CertificateHandle> responders;
  StoreHandle store;  // whom the server believes
  std::string text;   // equal texts let in the same
  KnownGood known{};
};

class Inquiry {
 public:
  // About the client that has just shown its certificates, by the rules of `context`; null: of the
  // one of its handshake. Null: there is nothing to ask.
  static std::shared_ptr<const Inquiry> about(SSL& ssl, SSL_CTX* context = nullptr);
  // The certificates, the client's own first, up to one that is believed as it is. Without any, the
  // library had something to object that was let pass.
  Inquiry(std::shared_ptr<InquiryRules> rules, std::vector<CertificateHandle> chain);

  // Without asking anybody; nothing: somebody has to be asked.
  std::optional<InquiryFinding> known(WallTime now) const;
  // For how long that may take at most.
  Duration patience() const;

  // What this is about was found good, by these rules.
  void note_good(SSL& ssl) const;
  // Whether that was noted of the client as `context` now has it, or it asks about nobody like it.
  // Rules may be newer than a connection, and then nobody asked.
  static bool is_settled(SSL& ssl, SSL_CTX* context);

 private:
  friend class Pursuit;
  std::size_t count() const;
  bool needs_no_answer(std::size_t position, WallTime now) const;
  std::string key_of(std::size_t position) const;

  const std::shared_ptr<InquiryRules> rules_;
  const std::vector<CertificateHandle> chain_;
};

// Has who is spoken to by `context` asked about; its trust is that of answers, too. `text`: all
// that decides who is let in, but for the responders.
void set_inquiry(SSL_CTX& context, const config::TlsOcsp& settings,
                 std::vector<CertificateHandle> responders, std::string text);

}  // namespace steelyard::tls
