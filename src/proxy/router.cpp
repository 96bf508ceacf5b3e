#include "proxy/router.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cgi/variables.hpp"
#include "config/fcgi_settings.hpp"
#include "config/open_page.hpp"
#include "config/redirect.hpp"
#include "config/route.hpp"
#include "http/hop_by_hop.hpp"
#include "http/path.hpp"
#include "proxy/admission.hpp"
#include "proxy/client_wish.hpp"
#include "proxy/echo.hpp"
#include "proxy/forward.hpp"
#include "proxy/forward_request.hpp"
#include "proxy/internal_redirect.hpp"
#include "proxy/named_client.hpp"
#include "proxy/named_host.hpp"
#include "proxy/rewriting.hpp"
#include "proxy/timeline.hpp"
#include "proxy/trace.hpp"

namespace steelyard::proxy {

namespace {

// As httpd keeps it: in lower case, without a final dot.
std::string_view lower_name(std::string_view host, Arena& arena) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (std::ranges::none_of(host, [](char c) { return c >= 'A' && c <= 'Z'; })) return host;
  return arena.copy(to_lower(host));
}

// httpd: the authority of a target takes the place of Host, in lower case and without a final dot.
void replace_host(Exchange& x, std::string_view authority) {
  const std::size_t colon = authority.starts_with('[') ? authority.npos : authority.find(':');
  std::string_view name = authority.substr(0, colon);
  const std::string_view port = authority.substr(name.size());
  if (name.ends_with('.')) name.remove_suffix(1);
  x.request.host = x.arena.join(std::string_view(to_lower(name)), port);
  for (std::size_t i = 0; i < x.request.fields.size(); ++i) {
    if (x.request.fields[i].id == http::FieldId::host)
      x.request.fields.set_value(i, x.request.host);
  }
}

Routing answer(int status, std::string_view detail = {}) {
  return {Routing::Kind::answer, status, {}, detail};
}

http::PathRules path_rules(const config::Server& server) {
  return {server.encoded_slashes, server.merge_slashes};
}

// Methods that httpd knows by name though nothing here serves them.
bool is_webdav(std::string_view method) {
  static constexpr std::string_view known[] = {"PROPFIND",
                                               "PROPPATCH",
                                               "MKCOL",
                                               "COPY",
                                               "MOVE",
                                               "LOCK",
                                               "UNLOCK",
                                               "REPORT",
                                               "CHECKOUT",
                                               "CHECKIN",
                                               "UPDATE",
                                               "LABEL",
                                               "UNCHECKOUT",
                                               "MERGE",
                                               "MKWORKSPACE",
                                               "MKACTIVITY",
                                               "BASELINE-CONTROL",
                                               "VERSION-CONTROL"};
  return std::ranges::find(known, method) != std::end(known);
}

// Others are for a forward proxy alone.
bool is_web_scheme(std::string_view scheme) {
  return equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https");
}

// What is answered here whatever the routes say; status 0: nothing.
int answered_by_method(const Exchange& x) {
  using http::Method;
  using Form = http::RequestTarget::Form;
  if (x.request.target.form == Form::asterisk) return 200;
  if (x.request.target.form == Form::absolute && !is_web_scheme(x.request.target.scheme))
    return 400;
  if (x.request.method_id == Method::connect) return 405;
  return 0;
}

// What httpd's file handler says where there is nothing: methods it does not serve are told so.
int status_of_nothing(const http::RequestHead& request) {
  using http::Method;
  switch (request.method_id) {
    case Method::get:
    case Method::head:
    case Method::post:
      return 404;
    case Method::options:
      return 200;
    case Method::other:
      return is_webdav(request.method) ? 405 : 501;
    default:
      return 405;
  }
}

void note_target(Exchange& x) {
  x.query = x.request.target.query;
  x.has_query = x.request.target.has_query;
}

void apply_fixed_environment(Exchange& x) {
  for (const auto& [name, value] : x.settings->env) {
    // httpd: what SetEnvIf set stays; UnsetEnv takes back what an outer SetEnv says.
    if (value && !x.environment.has(name)) x.environment.set(name, *value);
  }
}

// mod_http2's variables of a stream. Nothing is ever pushed.
void set_http2_environment(Exchange& x) {
  const ClientFacts& client = *x.client;
  const std::string_view stream = x.arena.decimal(client.http2_stream);
  const auto thread = static_cast<std::uint64_t>(client.process->thread_id);
  x.environment.set("HTTP2", "on");
  x.environment.set("H2PUSH", "off");
  x.environment.set("H2_PUSH", "off");
  x.environment.set("H2_PUSHED", "");
  x.environment.set("H2_PUSHED_ON", "");
  x.environment.set("H2_STREAM_ID", stream);
  x.environment.set("H2_STREAM_TAG",
                    x.arena.join(x.arena.decimal(thread), "-",
                                 x.arena.decimal(client.connection_id), "-", stream));
}

// Named groups of a regex section become MATCH_NAME variables (httpd).
void export_matches(Exchange& x, const config::SharedList<config::Section>& sections,
                    std::string_view text) {
  for (const config::Section& section : sections) {
    if (!section.regex || section.regex->named_groups().empty()) continue;
    RegexMatch match;
    if (!section.regex->search(text, match)) continue;
    for (const auto& [name, number] : section.regex->named_groups()) {
      if (number >= match.groups.size()) continue;
      x.environment.set(x.arena.join("MATCH_", std::string_view(to_upper(name))),
                        match.groups[number]);
    }
  }
}

std::string_view marked_query(const http::RequestTarget& target) {
  if (!target.has_query) return {};
  return {target.query.data() - 1, target.query.size() + 1};
}

// With the <If> sections that hold. httpd asks them before and after it maps the path.
config::SettingsRef decided(Exchange& x, Shard::Core& core, config::SettingsRef settings) {
  if (settings->conditionals.empty()) return settings;
  expr::Remarks remarks;
  auto result = core.settings_for(x).decide(*x.server, std::move(settings), x, x.arena, remarks);
  core.heed(x, "core", "an <If> section", remarks);
  return result;
}

std::optional<Routing> find_path(Exchange& x, Shard::Core& core) {
  const http::PathRules rules = path_rules(*x.server);
  const std::string_view raw = x.request.target.path;
  if (x.server->has_encoded_routes) {
    const auto normal = http::normalise_encoded_path(raw, rules, x.arena);
    x.path = normal.value_or(raw);  // for conditions, too
    const auto settings = decided(x, core, core.settings_for(x).for_path(*x.server, x.path));
    const bool interpolates = settings->interpolate_env.value_or(false);
    const config::RouteRequest request{normal.value_or(raw), raw,
                                       interpolates ? &x.environment : nullptr,
                                       marked_query(x.request.target)};
    x.route = config::find_encoded_route(*x.server, *settings, request, x.arena);
    if (x.route.kind == config::RouteMatch::Kind::proxied) {
      x.path = x.route.path;
      return std::nullopt;
    }
  }
  const auto decoded = http::decode_path(raw, rules, x.arena);
  if (!decoded) {
    x.path = http::refused_path(raw, rules, x.arena);
    return answer(http::status_of(decoded.error()), describe(decoded.error()));
  }
  x.path = *decoded;
  return std::nullopt;
}

void find_backend(Exchange& x, Shard::Core& core) {
  if (x.route.kind != config::RouteMatch::Kind::none) return;
  if (x.environment.has("no-proxy")) return;
  const auto settings = decided(x, core, core.settings_for(x).for_path(*x.server, x.path));
  const bool interpolates = settings->interpolate_env.value_or(false);
  const config::RouteRequest request{x.path, x.request.target.path,
                                     interpolates ? &x.environment : nullptr,
                                     marked_query(x.request.target)};
  x.route = config::find_route(*x.server, *settings, request, x.arena);
  if (x.route.raw_path_refused && core.wants(x, config::LogLevel::warn, "proxy"))
    core.log(x, config::LogLevel::warn, "proxy",
             "AH01136: Unescaped URL path matched ProxyPass; ignoring unsafe nocanon");
}

std::optional<Routing> redirect(Exchange& x, std::span<const config::Redirect> redirects) {
  if (redirects.empty()) return std::nullopt;
  const bool is_relative = x.settings->redirect_relative.value_or(false);
  const std::string_view origin = is_relative ? std::string_view() : x.origin();
  const config::RedirectRequest request{x.path, x.query, x.has_query, origin, &x};
  const auto found = config::find_redirect(redirects, request, x.arena);
  if (!found) return std::nullopt;
  Routing routing{Routing::Kind::answer, found->status, found->location, {}};
  routing.author = Routing::Author::redirect;
  return routing;
}

// RFC 9110 7.6.2. Status 0: go on; the field's value is replaced by the number that goes out.
int count_forwards(Exchange& x) {
  const http::Field* field = x.request.fields.find(http::FieldId::max_forwards);
  if (field == nullptr) return 0;
  const auto hops = parse_unsigned(field->value);
  if (!hops || *hops > 0x7fffffff) return 400;
  if (*hops == 0) {
    const bool answered =
        x.request.method_id == http::Method::trace || x.request.method_id == http::Method::options;
    return answered ? 200 : 400;
  }
  const std::string_view text = x.arena.decimal(*hops - 1);
  for (std::size_t i = 0; i < x.request.fields.size(); ++i) {
    if (x.request.fields[i].id == http::FieldId::max_forwards) x.request.fields.set_value(i, text);
  }
  return 0;
}

bool body_is_too_large(const Exchange& x) {
  const std::uint64_t most = x.settings->body_bytes_max.value_or(std::uint64_t{1} << 30);
  return most != 0 && x.request.body.length > most;
}

Routing route_heartbeat(Exchange& x, Shard::Core& core) {
  if (x.request.method_id != http::Method::post) return answer(405);
  if (!x.generation->config().heartbeat.listen) {
    if (core.wants(x, config::LogLevel::error, "heartmonitor"))
      core.log(x, config::LogLevel::error, "heartmonitor",
               "heartbeats are taken by POST only where HeartbeatListen is set, too");
    return answer(503);
  }
  if (body_is_too_large(x)) return answer(413);
  Routing routing{Routing::Kind::heartbeat, 200, {}, {}};
  routing.reads_body = true;
  return routing;
}

// Whoever a proxy on this machine speaks for is somewhere else.
bool asks_from_here(const Exchange& x) {
  if (!x.client->peer.ip.is_loopback() || !x.client_address().is_loopback()) return false;
  return std::ranges::none_of(x.request.fields, [](const http::Field& field) {
    return field.id == http::FieldId::x_forwarded_for || field.id == http::FieldId::via ||
           equals_ignoring_case(field.name, "Forwarded");
  });
}

// A name that a page of another site could not have made up: a browser that follows one to this
// machine says it (DNS rebinding).
bool asks_by_own_name(const Exchange& x) {
  if (!x.request.host_parts) return true;
  std::string_view host = x.host_name;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (const auto address = IpAddress::parse(host)) return address->is_loopback();
  return host == "localhost" || equals_ignoring_case(host, x.server->name) ||
         std::ranges::find(x.server->aliases, host) != x.server->aliases.end();
}

Routing route_to_desk(Exchange& x, Shard::Core& core) {
  const bool is_open = config::is_left_open(
      *x.settings, x.request.method_id == http::Method::head ? "GET" : x.request.method);
  if (is_open && (!asks_from_here(x) || !asks_by_own_name(x))) {
    if (core.wants(x, config::LogLevel::error, "authz_core"))
      core.log(
          x, config::LogLevel::error, "authz_core",
          x.arena.join(config::handler_name(x.responder),
                       " is left open to everybody, so only clients on this machine get it, by a "
                       "name of this server: ",
                       config::how_to_open_it));
    return answer(403);
  }
  if (body_is_too_large(x)) return answer(413);
  // httpd: a handler that has no use for the method leaves it to the server.
  const int otherwise = status_of_nothing(x.request);
  const bool is_asked = x.responder == config::Responder::api || otherwise == 404;
  Routing routing{
      is_asked ? Routing::Kind::desk : Routing::Kind::answer, is_asked ? 200 : otherwise, {}, {}};
  routing.reads_body = true;
  return routing;
}

void apply_env_rules(Exchange& x, Shard::Core& core, std::span<const expr::EnvRule> rules) {
  if (rules.empty()) return;
  expr::Remarks remarks;
  expr::apply(rules, x, x.environment, x.arena, &remarks);
  core.heed(x, "setenvif", "SetEnvIfExpr", remarks);
}

// httpd: what rules make of the client's Connection decides whether it is kept.
void read_connection_anew(http::RequestHead& head) {
  head.connection.close = head.version.minor == 0 && head.expects_continue;
  http::ConnectionOptions options;
  for (const http::Field& field : head.fields)
    if (field.id == http::FieldId::connection) http::read_connection(field.value, options);
  head.connection.keep_alive = options.keep_alive;
  head.connection.close |= options.close;
}

bool apply_request_rules(Exchange& x, Shard::Core& core, std::span<const expr::HeaderRule> rules) {
  const auto connection = x.request.fields.value(http::FieldId::connection);
  const auto expect = x.request.fields.value(http::FieldId::expect);
  expr::Remarks remarks;
  x.ended_at = core.now();
  const bool is_clean =
      expr::apply(rules, {x.request.fields, x.notes, x.arena, nullptr, &remarks}, x);
  core.heed(x, "headers", "a RequestHeader line", remarks);
  if (x.request.fields.value(http::FieldId::connection) != connection)
    read_connection_anew(x.request);
  // httpd: what no client expects is not passed on.
  if (!x.request.expects_continue && x.request.fields.value(http::FieldId::expect) != expect)
    x.request.fields.remove(http::FieldId::expect);
  return is_clean;
}

// A section's rule sent the request to another path: all begins anew there.
Routing reroute(Exchange& x, Shard::Core& core, std::string_view path) {
  if (x.rewritten->reroutes >= Rewritten::reroutes_max) {
    if (core.wants(x, config::LogLevel::error, "core"))
      core.log(x, config::LogLevel::error, "core",
               "AH00124: Request exceeded the limit of 10 internal redirects due to probable "
               "configuration error");
    return answer(500);
  }
  begin_reroute(x, path);
  return route(x, core);
}

// SetHandler "proxy:...": a script of DocumentRoot, which lies with the member. httpd finds out in
// its file system where the script's name ends, here the name tells.
void route_to_handler(Exchange& x) {
  const config::ProxyHandler& handler = *x.settings->handler;
  const std::string_view script =
      x.path.substr(0, x.path.size() - cgi::path_info_of_script(x.path).size());
  x.route = {};
  x.route.kind = config::RouteMatch::Kind::proxied;
  x.route.handler = &handler;
  x.route.url = x.arena.join(handler.url, x.server->document_root, script);
  x.proxied = true;
}

// Who answers instead of a backend. `rule_proxies`: [P] of a section comes after SetHandler. httpd
// asks its handlers one after the other: those of mod_status and of the manager come behind that of
// mod_proxy, which takes all that a route or a rule made its own. Pages that httpd does not know
// are there where they are written.
config::Responder responder_of(const Exchange& x, bool rule_proxies) {
  using enum config::Responder;
  if (rule_proxies) return none;
  if (!x.proxied && !x.rewritten->handler.empty()) return responder_named(x.rewritten->handler);
  const config::Responder named = x.settings->responder.value_or(none);
  const bool comes_behind = named == server_status || named == balancer_manager;
  return x.proxied && comes_behind ? none : named;
}

// The path and the target are known: the settings of the sections that cover them hold from now on.
Routing enter_sections(Exchange& x, Shard::Core& core) {
  const std::string_view url = x.route.is_forward ? url_for_sections(x) : x.route.url;
  x.backend_url = {};
  x.settings = x.proxied ? core.settings_for(x).for_url(*x.server, x.path, url)
                         : core.settings_for(x).for_path(*x.server, x.path);
  export_matches(x, x.server->locations, x.path);
  if (x.proxied) export_matches(x, x.server->proxies, url);
  // What an <If> asks may depend on the settings that it is to change: they stay in their place.
  if (!x.settings->conditionals.empty()) x.settings = decided(x, core, x.settings);
  apply_env_rules(x, core, x.settings->env_rules);
  if (x.settings->require && x.settings->require->needs_client_host() && x.client_host.empty())
    return {Routing::Kind::needs_client_host, 0, {}, {}};
  return continue_routing(x, core);
}

}  // namespace

void choose_server(Exchange& x) {
  const config::VirtualHostGroup& group = x.generation->hosts().group(x.client->local);
  // Empty unless the target is absolute or CONNECT's.
  const std::string_view authority = x.request.target.authority;
  if (x.request.target.form == http::RequestTarget::Form::authority)
    x.request.host_parts = http::split_host(authority);
  const auto& host = x.request.host_parts;
  x.server = host ? &group.choose(host->host) : &group.choose({}, x.request.target.path);
  if (!authority.empty()) replace_host(x, authority);
  x.host_name = host ? lower_name(host->host, x.arena) : std::string_view();
  // Until the path is known the server's own settings hold.
  x.settings = config::SettingsRef(config::SettingsRef{}, &x.server->defaults);
  begin_timeline(x);
}

Routing route(Exchange& x, Shard::Core& core) {
  if (x.request.fields.may_have_duplicates()) merge_duplicates(x.request.fields, x.arena);
  // A value that no field can hold is left out: then the client's own would count.
  if (!x.server->early_rules.empty() && !apply_request_rules(x, core, x.server->early_rules))
    return answer(500);
  name_client(x, core);
  join_trace(x, core);
  note_target(x);
  if (x.client->tls != nullptr) {
    if (const auto misdirected = check_named_host(x, core)) return *misdirected;
  }
  if (x.server->strict_host_check && !x.request.host.empty()) {
    const auto& host = x.request.host_parts;
    const auto& group = x.generation->hosts().group(x.client->local);
    if (!host || group.find(host->host) == nullptr) return answer(400, "no such host here");
  }
  // What SetEnvIf sees at this point.
  x.path = x.request.target.path.empty() ? std::string_view("/") : x.request.target.path;
  if (x.request.expects_the_unknown) {
    // Whether such a client sends its body nobody knows.
    if (x.request.body.kind != http::BodyFraming::Kind::none) x.keep_client = false;
    return answer(417);
  }
  apply_env_rules(x, core, x.server->env_rules);
  if (x.server->proxy.forward != nullptr && names_other_place(x)) {
    if (const auto done = aim_elsewhere(x)) return *done;
    return enter_sections(x, core);
  }
  if (const int by_method = answered_by_method(x); by_method != 0) return answer(by_method);
  if (const auto failed = find_path(x, core)) return *failed;
  if (x.server->rewriting != nullptr) {
    // Those of the path as it came: for logs, names and the pages of what rules answer.
    x.settings = decided(x, core, core.settings_for(x).for_path(*x.server, x.path));
    if (const auto done = rewrite_path(x, core)) {
      x.proxied = x.route.kind == config::RouteMatch::Kind::proxied;  // by mapping=encoded
      return *done;
    }
  }
  find_backend(x, core);
  x.proxied = x.route.kind == config::RouteMatch::Kind::proxied;
  return enter_sections(x, core);
}

Routing continue_routing(Exchange& x, Shard::Core& core) {
  // httpd: these come before access control, a section's other Redirects after it.
  if (!x.proxied) {
    if (!x.rewritten->is_local) {
      if (const auto found = redirect(x, x.server->redirects)) return *found;
    }
    if (config::has_whole_section_redirect(x.settings->redirects)) {
      if (const auto found = redirect(x, x.settings->redirects)) return *found;
    }
  }
  // httpd answers before it comes to any section: to who may ask, to documents and fields.
  const bool is_trace = x.request.method_id == http::Method::trace;
  if (is_trace && !x.proxied) {
    const Routing done = answer_trace(x, core);
    x.settings = config::SettingsRef(config::SettingsRef{}, &x.server->defaults);
    return done;
  }
  if (x.settings->requires_tls.value_or(false) && x.client->tls == nullptr) {
    if (core.wants(x, config::LogLevel::error, "ssl"))
      core.log(
          x, config::LogLevel::error, "ssl",
          x.arena.join("AH02219: access to ", x.path, " failed, reason: SSL connection required"));
    return answer(403);
  }
  if (const auto unmet = heed_client_wish(x, core)) return *unmet;
  if (const auto refused = admit(x, core)) return *refused;
  SectionRewriting rules;
  if (x.settings->rewriting != nullptr) {
    rules = rewrite_in_sections(x, core);
    if (rules.answer) return *rules.answer;
  }
  // httpd: SetEnv comes before a section's Redirect of what would be proxied.
  apply_fixed_environment(x);
  x.has_switches = !x.environment.entries().empty();
  // httpd: SetEnvIf and rules were before mod_ssl, Require too; RequestHeader comes behind it.
  x.has_tls_environment = x.is_tls();
  if (x.client->http2_stream != 0) set_http2_environment(x);
  if (const auto found = redirect(x, x.settings->redirects)) return *found;
  if (x.settings->auth) fake_login(x, core);
  if (!x.settings->request_rules.empty() &&
      !apply_request_rules(x, core, x.settings->request_rules))
    return answer(500);
  if (!rules.elsewhere.empty()) return reroute(x, core, rules.elsewhere);
  // httpd: [H=] counts more than SetHandler.
  const auto responder = responder_of(x, rules.proxies);
  if (responder != config::Responder::none && !is_trace) {
    x.responder = responder;
    if (responder == config::Responder::heartbeat) return route_heartbeat(x, core);
    return route_to_desk(x, core);
  }
  if (!x.proxied && x.settings->handler != nullptr && x.rewritten->handler.empty())
    route_to_handler(x);
  if (!x.proxied) {
    if (body_is_too_large(x)) return answer(413);
    Routing nothing = answer(status_of_nothing(x.request));
    nothing.reads_body = true;
    return nothing;
  }
  if (const int status = count_forwards(x); status != 0) {
    complete_url(x);
    if (status == 200 && is_trace) return answer_trace(x, core);
    return answer(status, status == 400 ? "Max-Forwards is used up or no number" : "");
  }
  if (const int status = refuse_proxied_trace(x, core); status != 0) {
    complete_url(x);
    return answer(status);
  }
  if (x.route.is_forward) return check_other_place(x, core);
  return {Routing::Kind::proxy, 0, {}, {}};
}

}  // namespace steelyard::proxy
