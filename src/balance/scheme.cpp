#include "balance/scheme.hpp"

#include <array>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace steelyard::balance {

namespace {

constexpr bool tls = true, spoken = true;

constexpr auto schemes = std::to_array<Scheme>({
    {"http", 80, "", !tls, spoken},
    {"https", 443, "ssl_module", tls, spoken},
    {"ws", 80, "", !tls, spoken},
    {"wss", 443, "ssl_module", tls, spoken},
    {"h2c", 80, "proxy_http2_module", !tls, spoken},
    {"h2", 443, "proxy_http2_module", tls, spoken},
    {"ajp", 8009, "proxy_ajp_module", !tls, spoken},
    {"fcgi", 8000, "proxy_fcgi_module", !tls, spoken},
    {"scgi", 4000, "proxy_scgi_module", !tls, spoken},
    {"uwsgi", 3031, "proxy_uwsgi_module", !tls, spoken},
    {"ftp", 21, "proxy_ftp_module", !tls, spoken},
});

std::string list_spoken() {
  std::vector<std::string> names;
  for (const Scheme& scheme : schemes)
    if (scheme.is_spoken) names.push_back(std::string(scheme.name) + "://");
  std::string text = names.front();
  for (std::size_t i = 1; i < names.size(); ++i)
    text += (i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace

const Scheme* scheme_named(std::string_view name) {
  for (const Scheme& scheme : schemes)
    if (equals_ignoring_case(scheme.name, name)) return &scheme;
  return nullptr;
}

std::uint16_t default_port(std::string_view scheme) {
  const Scheme* const known = scheme_named(scheme);
  return known == nullptr ? 0 : known->port;
}

bool is_tls_scheme(std::string_view scheme) {
  const Scheme* const known = scheme_named(scheme);
  return known != nullptr && known->is_tls;
}

std::string_view spoken_schemes() {
  static const std::string text = list_spoken();
  return text;
}

}  // namespace steelyard::balance
