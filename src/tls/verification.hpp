#pragma once

#include <memory>

#include "config/tls_settings.hpp"
#include "tls/files.hpp"
#include "tls/handles.hpp"

// Whom a peer's certificate may come from (httpd: SSLVerifyClient, SSLVerifyDepth, SSLCA..., and
// the same of SSLProxy).
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

// Adds what `trust` names to what the context believes; lists of revoked certificates too.
void add_trust(SSL_CTX& context, const config::TlsTrust& trust, const FileAccess& files,
               Faults& faults);
// Those authorities whose names a client is told, so that it can choose a certificate.
void add_client_names(SSL_CTX& context, const config::TlsTrust& trust, const FileAccess& files,
                      Faults& faults);

// What may be files in a directory; a fault when it cannot be listed.
std::vector<config::NamedFile> files_of(const config::NamedFile& directory, const FileAccess& files,
                                        Faults& faults);

enum class PeerStanding : std::uint8_t {
  none,     // it showed no certificate
  success,  // one that was verified
  failed,   // one that was not, and that optional_no_ca let pass
};
PeerStanding standing_of_peer(SSL* ssl);

}  // namespace steelyard::tls
