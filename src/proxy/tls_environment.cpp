#include "proxy/tls_environment.hpp"

namespace steelyard::proxy {

void write_tls_environment(Exchange& x) {
  if (!x.has_tls_environment) return;
  constexpr std::string_view of_connection[] = {"HTTPS",
                                                "SSL_TLS_SNI",
                                                "SSL_PROTOCOL",
                                                "SSL_CIPHER",
                                                "SSL_CIPHER_EXPORT",
                                                "SSL_CIPHER_USEKEYSIZE",
                                                "SSL_CIPHER_ALGKEYSIZE",
                                                "SSL_SESSION_ID",
                                                "SSL_SESSION_RESUMED",
                                                "SSL_SECURE_RENEG",
                                                "SSL_COMPRESS_METHOD",
                                                "SSL_VERSION_INTERFACE",
                                                "SSL_VERSION_LIBRARY",
                                                "SSL_CLIENT_VERIFY"};
  constexpr std::string_view of_certificate[] = {
      "CERT",    "M_VERSION", "M_SERIAL", "V_START",    "V_END",      "V_REMAIN",  "S_DN",
      "I_DN",    "A_KEY",     "A_SIG",    "S_DN_C",     "S_DN_ST",    "S_DN_L",    "S_DN_O",
      "S_DN_OU", "S_DN_CN",   "S_DN_UID", "S_DN_Email", "I_DN_C",     "I_DN_ST",   "I_DN_L",
      "I_DN_O",  "I_DN_OU",   "I_DN_CN",  "I_DN_UID",   "I_DN_Email", "SAN_DNS_0", "SAN_Email_0"};
  const auto add = [&](std::string_view name) {
    if (const auto value = x.variable(name)) x.environment.set(name, *value);
  };
  for (const std::string_view name : of_connection) add(name);
  for (const std::string_view whose : {"SSL_CLIENT_", "SSL_SERVER_"})
    for (const std::string_view what : of_certificate) add(x.arena.join(whose, what));
  x.has_tls_environment = false;
}

}  // namespace steelyard::proxy
