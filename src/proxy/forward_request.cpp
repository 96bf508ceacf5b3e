#include "proxy/forward_request.hpp"

#include <algorithm>

#include "balance/scheme.hpp"
#include "base/text.hpp"
#include "config/forward_proxy.hpp"
#include "http/path.hpp"
#include "tls/hosts.hpp"

namespace steelyard::proxy {

namespace {

using http::RequestTarget;

bool is_connect(const Exchange& x) { return x.request.method_id == http::Method::connect; }

// Scheme and host in lower case, without the port that the scheme has anyway.
std::string_view named_base(Exchange& x) {
  const RequestTarget& target = x.request.target;
  const http::HostPort& host = *x.request.host_parts;
  const std::string_view scheme = x.arena.copy(to_lower(target.scheme));
  const std::string_view name = x.arena.copy(to_lower(host.host));
  const bool says_port = host.port && *host.port != balance::default_port(scheme);
  return says_port ? x.arena.join(scheme, "://", name, ":", x.arena.decimal(*host.port))
                   : x.arena.join(scheme, "://", name);
}

// httpd, ProxyDomain: a name without a dot is completed, and the client asks again.
std::optional<Routing> complete_name(Exchange& x, Shard::Core& core, std::string_view domain) {
  const bool is_short = x.host_name.find_first_of(".:") == std::string_view::npos;
  if (domain.empty() || !is_short || x.host_name == "localhost") return std::nullopt;
  if (x.request.method_id != http::Method::get) return std::nullopt;
  const RequestTarget& target = x.request.target;
  const std::string_view host = x.request.host_parts->host;
  const std::size_t behind = target.scheme.size() + 3 + host.size();
  const std::string_view location = x.arena.join(target.scheme, "://", host, domain);
  const std::string_view whole = x.arena.join(location, target.text.substr(behind));
  if (core.wants(x, config::LogLevel::info, "proxy"))
    core.log(x, config::LogLevel::info, "proxy",
             x.arena.join("AH01138: Domain missing: ", target.text, " sent to ", whole));
  return Routing{Routing::Kind::answer, 301, whole, {}};
}

Routing no_handler(Exchange& x, Shard::Core& core, std::string_view why) {
  if (core.wants(x, config::LogLevel::warn, "proxy"))
    core.log(x, config::LogLevel::warn, "proxy",
             x.arena.join("AH01144: No protocol handler was valid for the URL ", x.route.url, ": ",
                          why));
  return {Routing::Kind::answer, 500, {}, {}};
}

Routing check_tunnel(Exchange& x, Shard::Core& core) {
  // RFC 9110 9.3.6: it has none, and what followed one would be taken for the tunnel's.
  if (x.request.body.has_bytes()) return {Routing::Kind::answer, 400, {}, {}};
  const std::vector<std::string>& modules = x.generation->config().modules;
  if (std::ranges::find(modules, "proxy_connect_module") != modules.end())
    return {Routing::Kind::tunnel, 0, {}, {}};
  return no_handler(x, core, "proxy_connect_module is not loaded");
}

}  // namespace

bool names_other_place(const Exchange& x) {
  if (!x.server->proxy.forward->takes_requests) return false;
  if (is_connect(x)) return x.request.target.form == RequestTarget::Form::authority;
  const RequestTarget& target = x.request.target;
  if (target.form != RequestTarget::Form::absolute || !x.request.host_parts) return false;
  if (!equals_ignoring_case(target.scheme, x.scheme())) return true;
  const std::uint16_t port = x.request.host_parts->port.value_or(x.usual_port());
  return !is_own_place(*x.server, x.host_name, port);
}

std::optional<Routing> aim_elsewhere(Exchange& x) {
  const RequestTarget& target = x.request.target;
  x.path = target.text;
  x.proxied = true;
  x.guest.write().is_asked_by_proxy = true;
  x.route = {.kind = config::RouteMatch::Kind::proxied, .is_forward = true, .canonical = true};
  if (is_connect(x)) {
    x.route.url = x.request.host;
    return std::nullopt;
  }
  x.route.url = x.arena.join(named_base(x), target.path);
  // httpd: the path goes out as it came, but it has to be one.
  const http::PathRules rules{http::EncodedSlashes::keep, true};
  const auto decoded = http::decode_path(target.path, rules, x.arena);
  if (decoded || http::status_of(decoded.error()) != 400) return std::nullopt;
  return Routing{Routing::Kind::answer, 400, {}, {}};
}

bool has_query_for_port(const Exchange& x) {
  const RequestTarget& target = x.request.target;
  if (!x.route.is_forward || target.form != RequestTarget::Form::absolute) return false;
  if (!x.request.host_parts->port || equals_ignoring_case(target.scheme, "ftp")) return false;
  return target.text.substr(target.scheme.size() + 3 + target.authority.size()).starts_with('?');
}

std::string_view url_for_sections(Exchange& x) {
  return x.has_query ? x.arena.join(x.route.url, "?", x.query) : x.route.url;
}

Routing check_other_place(Exchange& x, Shard::Core& core) {
  if (is_connect(x)) return check_tunnel(x, core);
  if (auto done = complete_name(x, core, x.server->proxy.forward->domain)) return *done;
  const tls::Hosts* const tls = x.generation->tls();
  if (starts_with_ignoring_case(x.route.url, "https:") &&
      (tls == nullptr || tls->backend_of(*x.server, x.route.url) == nullptr))
    return no_handler(x, core, "SSLProxyEngine is not On");
  return {Routing::Kind::proxy, 0, {}, {}};
}

}  // namespace steelyard::proxy
