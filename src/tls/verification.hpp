#pragma once

#include <memory>

#include "config/tls_settings.hpp"
#include "tls/handles.hpp"

// How a peer's certificate is judged (httpd: SSLVerifyClient, SSLVerifyDepth, and the same of
// SSLProxy); whom it may come from: trust.hpp.
//
// Threads: any, once the context is made.

namespace steelyard::tls {

struct VerifyRules {
  config::PeerVerify verify = config::PeerVerify::none;
  int depth = 1;              // certificates above the peer's own
  bool needs_no_crl = false;  // an authority without a list of revoked certificates is no fault
};

// Sets the context's mode by `rules`, whose word counts when the library objects to something.
void set_verification(SSL_CTX& context, const VerifyRules& rules);
// The same for one connection from now on. `mode`: the library's bits, which may ask for more.
void set_verification(SSL& ssl, const VerifyRules& rules, int mode);
// Takes what set_verification() said of one connection, and puts it back; null: its context's
// rules count.
[[nodiscard]] std::unique_ptr<const VerifyRules> take_own_rules(SSL& ssl);
void put_back_rules(SSL& ssl, std::unique_ptr<const VerifyRules> rules);
// How many certificates may lie above the client's where it was asked for one.
int verification_depth(const SSL* ssl);

enum class PeerStanding : std::uint8_t {
  none,     // it showed no certificate
  success,  // one that was verified
  failed,   // one that was not, and that optional_no_ca let pass
};
PeerStanding standing_of_peer(SSL* ssl);

}  // namespace steelyard::tls
