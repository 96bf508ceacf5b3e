#include "proxy/certified_user.hpp"

#include <string>

#include "config/path_tls.hpp"
#include "http/basic_credentials.hpp"
#include "tls/hosts.hpp"
#include "tls/variables.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;
using config::TlsOptions;

constexpr std::string_view field = "Authorization", password = "password";

bool fakes(const Exchange& x) {
  return x.settings->tls_options.value_or(TlsOptions()).has(TlsOptions::fakes_basic_auth);
}

// As OpenSSL writes it in one line: "/O=Test/CN=alice"; empty: none was shown.
std::string_view whole_name(const Exchange& x) {
  if (!x.is_tls()) return {};
  const tls::VariableContext in_one_line{{.on = TlsOptions::legacy_names}, x.wall_now};
  return tls::variable(x.client->tls->ssl(), "SSL_CLIENT_S_DN", in_one_line, x.arena).value_or("");
}

template <class... Parts>
void tell(Exchange& x, Shard::Core& core, LogLevel level, const Parts&... parts) {
  if (core.wants(x, level, "ssl"))
    core.log(x, level, "ssl", x.arena.join(std::string_view(parts)...));
}

}  // namespace

void name_user(Exchange& x, Shard::Core& core) {
  const config::PathTls* const path = x.settings->tls.get();
  if (path == nullptr || !path->user_name || fakes(x)) return;
  if (stays_under(x.guest, x.settings.get()) || x.guest->was_asked || x.guest->is_certified) return;
  const std::string_view user = x.tls_variable(*path->user_name).value_or("");
  if (user.empty()) {
    tell(x, core, LogLevel::warn, "AH02227: Failed to set r->user to '", *path->user_name, "'");
    return;
  }
  Guest& guest = x.guest.write();
  guest.visitor.user = x.arena.copy(user);
  guest.visitor.auth_type = "ClientCert";  // until AuthType asks for a password, too
  guest.is_certified = true;
}

int fake_basic_login(Exchange& x, Shard::Core& core) {
  // httpd looks at the first request only, and lets a spoof through behind an internal redirect.
  // There the field may be our own, which names the client as its certificate does.
  if (x.generation->tls() == nullptr) return 0;
  const bool is_first = !x.redirected && x.rewritten->reroutes == 0;
  const auto said = http::read_basic_credentials(x.request_header(field).value_or(""));
  const bool is_spoof = said && said->user.starts_with('/') && said->password == password;
  if (is_spoof && (is_first || said->user != whole_name(x))) {
    tell(x, core, LogLevel::error, "AH02035: Encountered FakeBasicAuth spoof: ", said->user);
    constexpr int forbidden = 403;
    return forbidden;
  }
  if (!is_first || !fakes(x) || x.guest->visitor.user) return 0;
  const std::string_view name = whole_name(x);
  if (name.empty()) return 0;
  const std::string value = http::write_basic_credentials(name, password);
  x.request.fields.set(field, x.arena.copy(value));
  tell(x, core, LogLevel::info, "AH02036: Faking HTTP Basic Auth header: \"Authorization: ", value,
       "\"");
  return 0;
}

}  // namespace steelyard::proxy
