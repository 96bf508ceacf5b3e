#pragma once

#include <openssl/types.h>

#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/time.hpp"
#include "expr/facts.hpp"

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

// All that it has of a kind, as httpd tells it: behind `prefix` "CN" and "CN_1" for the second one,
// "DNS_0" and "DNS_1". A client's certificate may have thousands, and each request's environment
// would: the first `told_max` are told.
using Variables = std::vector<expr::Environment::Entry>;
constexpr std::size_t told_max = 500;
void append_name_parts(Variables& out, const X509_NAME& name, std::string_view prefix,
                       Arena& arena);
// Of other names those of one sort, by whose certificate it is; those without text do not count.
enum class Side { client, server };
void append_alternative_names(Variables& out, X509& certificate, Side side, std::string_view prefix,
                              Arena& arena);

}  // namespace steelyard::tls
