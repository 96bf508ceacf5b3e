#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "apacheconf/scope.hpp"

// What the lines about TLS share while they are read.

namespace steelyard::apacheconf {

// What a server has said itself. Of certificates and keys its own take the place of those that it
// inherits, one by one (httpd).
struct TlsDrafts {
  struct Named {
    std::size_t certificates = 0, keys = 0;
    bool has_name = false;                                    // ServerName
    config::Place revocation_check, member_revocation_check;  // the lines that ask for lists
  };
  std::map<const config::Server*, Named> servers;
};

// SSLProtocol's and SSLProxyProtocol's words; nullopt after a complaint.
std::optional<config::TlsVersions> read_tls_versions(Scope& scope, const Statement& statement);

// An absolute path; nullopt after a complaint.
std::optional<config::NamedFile> read_tls_file(Scope& scope, const Statement& statement);

// SSLVerifyDepth's and SSLProxyVerifyDepth's number; nullopt after a complaint.
std::optional<std::uint8_t> read_verify_depth(Scope& scope, const Statement& statement);

// The words of SSLVerifyClient and SSLProxyVerify.
std::optional<config::PeerVerify> read_peer_verify(Scope& scope, const Statement& statement);

struct RevocationWords {
  config::RevocationCheck check = config::RevocationCheck::none;
  bool needs_no_crl = false;
};
std::optional<RevocationWords> read_revocation(Scope& scope, const Statement& statement);

// [TLSv1.3|SSL] list, into the first or the second text.
struct CipherTexts {
  std::optional<std::string> ciphers, suites;
};
CipherTexts read_ciphers(Scope& scope, const Statement& statement);

// Complains of SSLCARevocationCheck and SSLProxyCARevocationCheck without any list.
void look_for_revocation_lists(Reading& reading);

}  // namespace steelyard::apacheconf
