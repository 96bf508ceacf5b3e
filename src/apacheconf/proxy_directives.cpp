// Table: mod_proxy's directives, with the handlers that fit in a few lines.

#include <array>

#include "apacheconf/choices.hpp"
#include "apacheconf/proxy_draft.hpp"
#include "apacheconf/proxy_handlers.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::PathSettings;
using config::ProxySettings;

// A switch of PathSettings.
template <std::optional<bool> PathSettings::* field>
void set_switch(Scope& scope, const Statement& statement) {
  scope.settings().*field = is_on(statement);
}

void ftp_charset(Scope& scope, const Statement& statement) {
  scope.settings().ftp_charset = statement.words[0];
}

void reverse_cookie_path(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  const bool interpolate = words.size() > 2 && equals_ignoring_case(words[2], "interpolate");
  scope.settings().reverse_cookie_paths.push_back({words[0], words[1], interpolate});
}

void reverse_cookie_domain(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  const bool interpolate = words.size() > 2 && equals_ignoring_case(words[2], "interpolate");
  scope.settings().reverse_cookie_domains.push_back({words[0], words[1], interpolate});
}

void via(Scope& scope, const Statement& statement) {
  static constexpr Choices<ProxySettings::Via, 4> choices{
      "ProxyVia must be one of: off | on | full | block",
      {{{"off", ProxySettings::Via::off},
        {"on", ProxySettings::Via::on},
        {"full", ProxySettings::Via::full},
        {"block", ProxySettings::Via::block}}}};
  choices.choose(scope, statement.words[0], scope.server.proxy.via);
}

void bad_header(Scope& scope, const Statement& statement) {
  static constexpr Choices<http::BadHeader, 3> choices{
      "ProxyBadHeader must be one of: IsError | Ignore | StartBody",
      {{{"IsError", http::BadHeader::is_error},
        {"Ignore", http::BadHeader::ignore},
        {"StartBody", http::BadHeader::start_body}}}};
  choices.choose(scope, statement.words[0], scope.server.proxy.bad_header);
}

void timeout(Scope& scope, const Statement& statement) {
  const std::int64_t seconds = parse_lax(statement.words[0]);
  if (seconds < 1) {
    scope.complain("Proxy Timeout must be at least 1 second.");
    return;
  }
  scope.server.proxy.timeout = std::chrono::seconds(std::min<std::int64_t>(seconds, INT32_MAX));
}

// nullopt after a complaint.
std::optional<std::uint32_t> buffer_bytes(Scope& scope, const Statement& statement,
                                          std::string_view name) {
  const std::int64_t bytes = parse_lax(statement.words[0]);
  if ((bytes < 512 && bytes != 0) || bytes > INT32_MAX) {
    scope.complain(std::string(name) + " must be >= 512 bytes, or 0 for system default.");
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(bytes);
}

void io_buffer(Scope& scope, const Statement& statement) {
  const auto bytes = buffer_bytes(scope, statement, "ProxyIOBufferSize");
  if (!bytes) return;
  scope.server.proxy.io_buffer_bytes = *bytes == 0 ? ProxySettings().io_buffer_bytes : *bytes;
}

void receive_buffer(Scope& scope, const Statement& statement) {
  const auto bytes = buffer_bytes(scope, statement, "ProxyReceiveBufferSize");
  if (bytes) scope.server.proxy.receive_buffer_bytes = *bytes;
}

void max_forwards(Scope& scope, const Statement& statement) {
  const std::int64_t most = std::clamp<std::int64_t>(parse_lax(statement.words[0]), -1, INT32_MAX);
  scope.server.proxy.max_forwards = static_cast<std::int32_t>(most);
}

void source_address(Scope& scope, const Statement& statement) {
  scope.server.proxy.source_address = IpAddress::parse(statement.words[0]);
  if (!scope.server.proxy.source_address) {
    scope.complain("ProxySourceAddress invalid value", "Write one IP address, without a port.");
  }
}

void websocket_fallback(Scope& scope, const Statement& statement) {
  if (is_on(statement)) return;
  scope.complain(
      "ProxyWebsocketFallbackToProxyHttp Off is not supported: it would skip a ws:// mapping for "
      "requests that ask for no upgrade",
      "Leave the line out, and map what is no WebSocket by a RewriteCond %{HTTP:Upgrade}.");
}

void persist(Scope& scope, const Statement& statement) {
  std::optional<config::Place>& persists = draft_of(scope).persists;
  persists.reset();
  if (is_on(statement)) persists = statement.place();
}

void growth(Scope& scope, const Statement& statement) {
  const std::int64_t slots = parse_lax(statement.words[0]);
  if (slots < 0 || slots > 1000) scope.complain("BalancerGrowth must be between 0 and 1000");
}

void inherit_balancers(Scope& scope, const Statement& statement) {
  draft_of(scope).inherits_balancers = is_on(statement);
}

void inherit_routes(Scope& scope, const Statement& statement) {
  draft_of(scope).inherits_routes = is_on(statement);
}

void status(Scope& scope, const Statement& statement) {
  for (const std::string_view word : {"off", "on", "full"}) {
    if (!equals_ignoring_case(statement.words[0], word)) continue;
    scope.server.proxy.shows_status = word != "off";
    return;
  }
  scope.complain("ProxyStatus must be one of: off | on | full");
}

constexpr Contexts in_routes = in_servers | in_location | in_proxy;
constexpr std::string_view inner_counts = "the inner one counts";
constexpr std::string_view adds_up = "adds up, outer ones first";
constexpr std::string_view vhost_counts = "the virtual host's counts";
constexpr std::string_view proxy = "proxy_module", ftp = "proxy_ftp_module";

constexpr auto table = std::to_array<Directive>({
    {"ProxyPass", in_routes, Arguments::raw, handle_proxy_pass,
     "all count: of sections the last, then the main server's, then the virtual host's",
     "a virtual path and a URL", proxy},
    {"ProxyPassMatch", in_routes, Arguments::raw, handle_proxy_pass_match, "as ProxyPass",
     "a virtual path and a URL", proxy},
    {"ProxyPassReverse", in_routes, Arguments::one_two_or_three, handle_proxy_pass_reverse, adds_up,
     "a virtual path and a URL for reverse proxy behaviour", proxy},
    {"ProxyPassReverseCookiePath", in_routes | in_condition, Arguments::two_or_three,
     reverse_cookie_path, adds_up, "Path rewrite rule for proxying cookies", proxy},
    {"ProxyPassReverseCookieDomain", in_routes | in_condition, Arguments::two_or_three,
     reverse_cookie_domain, adds_up, "Domain rewrite rule for proxying cookies", proxy},
    {"ProxyPassInterpolateEnv", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::interpolate_env>, inner_counts,
     "Interpolate Env Vars in reverse Proxy", proxy},
    {"ProxyPreserveHost", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::preserve_host>, inner_counts,
     "on if we should preserve host header while proxying", proxy},
    {"ProxyAddHeaders", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::add_headers>, inner_counts,
     "on if X-Forwarded-* headers should be added or completed", proxy},
    {"Proxy100Continue", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::continue_100>, inner_counts,
     "on if 100-Continue should be forwarded to the origin server, off if the proxy should handle "
     "it by itself",
     proxy},
    {"ProxyErrorOverride", in_routes | in_directory | in_condition, Arguments::one_or_more,
     handle_proxy_error_override, "the inner switch counts, its statuses add up",
     "use our error handling pages instead of the servers' we are proxying", proxy},
    {"ProxyFtpListOnWildcard", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::ftp_lists_on_wildcard>, inner_counts,
     "Whether wildcard characters in a path cause mod_proxy_ftp to list the files instead of "
     "trying "
     "to get them. Defaults to on.",
     ftp},
    {"ProxyFtpEscapeWildcards", in_routes | in_directory | in_condition, Arguments::flag,
     set_switch<&PathSettings::ftp_escapes_wildcards>, inner_counts,
     "Whether the proxy should escape wildcards in paths before sending them to the FTP server.  "
     "Defaults to on, but most FTP servers will need it turned off if you need to manage paths "
     "that contain wildcard characters.",
     ftp},
    {"ProxyFtpDirCharset", in_routes | in_directory | in_condition, Arguments::one, ftp_charset,
     inner_counts, "Define the character set for proxied FTP listings", ftp},
    {"ProxyWebsocketFallbackToProxyHttp", in_routes | in_directory | in_condition, Arguments::flag,
     websocket_fallback, inner_counts,
     "on: a ws:// member serves requests without an upgrade, too; off is not supported",
     "proxy_wstunnel_module"},
    {"ProxyVia", in_servers, Arguments::one, via, vhost_counts,
     "Configure Via: proxy header header to one of: on | off | block | full", proxy},
    {"ProxyTimeout", in_servers, Arguments::one, timeout, vhost_counts,
     "Set the timeout (in seconds) for a proxied connection. This overrides the server timeout",
     proxy},
    {"ProxyBadHeader", in_servers, Arguments::one, bad_header, vhost_counts,
     "How to handle bad header line in response: IsError | Ignore | StartBody", proxy},
    {"ProxyMaxForwards", in_servers, Arguments::one, max_forwards, vhost_counts,
     "The maximum number of proxies a request may be forwarded through.", proxy},
    {"ProxyIOBufferSize", in_servers, Arguments::one, io_buffer, vhost_counts,
     "IO buffer size for outgoing HTTP and FTP connections in bytes", proxy,
     Support::accepted_with_note,
     "the size of packets to AJP members; other buffers belong to the event loop"},
    {"ProxyReceiveBufferSize", in_servers, Arguments::one, receive_buffer, vhost_counts,
     "Receive buffer size for outgoing HTTP and FTP connections in bytes", proxy},
    {"ProxySourceAddress", in_servers, Arguments::one, source_address, vhost_counts,
     "Configure local source IP used for request forward", proxy},
    {"ProxyPassInherit", in_servers, Arguments::flag, inherit_routes, vhost_counts,
     "off: together with BalancerInherit Off, balancers and backends are not inherited", proxy},
    {"BalancerInherit", in_servers, Arguments::flag, inherit_balancers, vhost_counts,
     "off: together with ProxyPassInherit Off, balancers and backends are not inherited", proxy},
    {"BalancerGrowth", in_servers, Arguments::one, growth, vhost_counts,
     "Number of additional Balancers that can be added post-config", proxy,
     Support::accepted_with_note, "no room has to be reserved for balancers"},
    {"BalancerPersist", in_servers, Arguments::flag, persist,
     "each server's own; a virtual host does not inherit it",
     "on if the balancer should persist changes on reboot/restart made via the Balancer Manager",
     proxy},
    {"BalancerMember", in_routes, Arguments::raw, handle_balancer_member,
     "a main server's balancer keeps the main server's members",
     "A balancer name and scheme with list of params", proxy},
    {"ProxySet", in_routes, Arguments::raw, handle_proxy_set, "parameter by parameter",
     "A balancer or worker name with list of params", proxy},
    {"ProxyStatus", in_servers, Arguments::one, status, vhost_counts,
     "Configure Status: proxy status to one of: on | off | full", proxy},
});

}  // namespace

void handle_proxy_error_override(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  const bool on = equals_ignoring_case(words[0], "on");
  if (!on && !equals_ignoring_case(words[0], "off")) {
    scope.complain("ProxyErrorOverride first parameter must be one of: off | on");
    return;
  }
  config::ErrorOverride& rule = scope.settings().error_override.emplace(
      scope.settings().error_override.value_or(config::ErrorOverride{}));
  rule.on = on;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::optional<std::uint64_t> status = parse_unsigned(words[i]);
    if (!on) {
      scope.complain("ProxyErrorOverride: status codes must follow a value of 'on'");
      return;
    }
    if (!status) {
      scope.complain("ProxyErrorOverride: status codes to intercept must be numeric");
    } else if (*status < 400 || *status > 599) {
      scope.complain(
          "ProxyErrorOverride: status codes to intercept must be valid HTTP Status Codes >=400 && "
          "<600");
    } else {
      rule.statuses.push_back(static_cast<int>(*status));
    }
  }
}

std::span<const Directive> proxy_directives() { return table; }

}  // namespace steelyard::apacheconf
