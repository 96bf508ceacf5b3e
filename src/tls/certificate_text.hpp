#pragma once

#include <openssl/types.h>

#include <optional>
#include <string_view>

#include "base/arena.hpp"
#include "base/time.hpp"

// A certificate in the words of httpd's variables: what follows SSL_CLIENT_ or SSL_SERVER_.
//
// Threads: the arena's.

namespace steelyard::tls {

struct CertificateQuestion {
  // "S_DN_CN", "V_REMAIN", "SAN_DNS_0", "EXT_0:1.2.3.4" (the first extension of this number; for
  // PeerExtList, which asks for one after the other); in any case
  std::string_view what;
  bool legacy_names = false;  // SSLOptions LegacyDNStringFormat
  WallTime now{};
};

// No value: it has none of that, or there is no such variable.
std::optional<std::string_view> text_of(X509& certificate, const CertificateQuestion& question,
                                        Arena& arena);
std::string_view pem_of(X509& certificate, Arena& arena);

}  // namespace steelyard::tls
