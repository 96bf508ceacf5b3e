#include "proxy/backend/cgi_request.hpp"

#include <algorithm>
#include <utility>

#include "balance/scheme.hpp"
#include "base/text.hpp"
#include "config/fcgi_settings.hpp"
#include "proxy/tls_environment.hpp"
#include "proxy/trace.hpp"
#include "proxy/unique_id.hpp"

namespace steelyard::proxy {

namespace {

using expr::TextFact;

// httpd: the request line's own words, whatever became of them since.
std::string_view uri_of(std::string_view request_line) {
  const std::size_t begin = request_line.find(' ');
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = request_line.substr(begin + 1);
  return rest.substr(0, rest.find(' '));
}

std::string_view method_of(std::string_view request_line) {
  return request_line.substr(0, request_line.find(' '));
}

// A handler's script is told as the file's name, a route's target as it would go out.
cgi::Request describe_request(const Dialect::Matter& matter) {
  Exchange& x = matter.x;
  cgi::Request request{.fields = x.request.fields,
                       .method = x.request.method,
                       .protocol = x.text(TextFact::protocol),
                       .uri = uri_of(x.request_line),
                       .path = x.path,
                       .query = x.query,
                       .body_bytes = body_bytes(matter.body),
                       .authority = x.backend_url.authority,
                       .script = matter.plan.target.path,
                       .passes_passwords = x.settings->cgi_pass_auth.value_or(false)};
  if (x.route.handler != nullptr) {
    request.path_info = cgi::path_info_of_script(x.path);
    request.script = cgi::decoded(request.script, x.arena);
  }
  return request;
}

cgi::Surroundings describe_surroundings(Exchange& x) {
  return {.scheme = x.text(TextFact::scheme),
          .document_root = x.text(TextFact::document_root),
          .server_name = x.public_name(),
          .server_address = x.text(TextFact::local_ip),
          .server_admin = x.text(TextFact::server_admin),
          .server_software = x.text(TextFact::server_software),
          .signature = {},
          .client_address = x.text(TextFact::client_ip),
          .client_host = x.client_host,
          .user = x.guest->visitor.user,
          .auth_type = x.guest->visitor.auth_type,
          .server_port = x.public_port(),
          .client_port = x.client->peer.port,
          .redirect_url = x.redirected ? x.first->path : std::string_view(),
          .redirect_query = x.redirected ? x.first->query : std::string_view(),
          .redirect_method = x.redirected ? method_of(x.request_line) : std::string_view()};
}

// The fields became variables, the client's own among them: members get our word for the trace.
void set_trace_variables(Exchange& x) {
  for (const std::string_view name : {"HTTP_TRACEPARENT", "HTTP_TRACESTATE"})
    x.environment.unset(name);
  http::HeadText text;
  append_trace_fields(x, text);
  for (std::string_view rest = x.arena.copy(text.view()); !rest.empty();) {
    const std::size_t name = rest.find(": "), end = rest.find("\r\n");
    x.environment.set(cgi::variable_name(rest.substr(0, name), x.arena),
                      rest.substr(name + 2, end - name - 2));
    rest.remove_prefix(end + 2);
  }
}

// ProxyFCGISetEnvIf, in order: conditions see what the lines before have set.
bool apply_variables(Exchange& x) {
  for (const auto& variable : x.settings->fcgi_variables) {
    expr::Evaluation evaluation{.facts = x, .arena = x.arena};
    const auto holds = variable->condition.evaluate(evaluation);
    if (!holds) return false;
    if (!*holds) continue;
    if (variable->value == nullptr) {
      x.environment.unset(variable->name);
    } else {
      x.environment.set(variable->name, x.arena.copy(variable->value->evaluate(evaluation)));
    }
  }
  return true;
}

}  // namespace

std::optional<cgi::Protocol> cgi_protocol(std::string_view scheme) {
  if (scheme == "fcgi") return cgi::Protocol::fcgi;
  if (scheme == "scgi") return cgi::Protocol::scgi;
  if (scheme == "uwsgi") return cgi::Protocol::uwsgi;
  return std::nullopt;
}

std::string_view shown_authority(std::string_view scheme, std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority;
  const auto port = parse_unsigned(authority.substr(colon + 1));
  return port && *port == balance::default_port(scheme) ? authority.substr(0, colon) : authority;
}

std::optional<std::uint64_t> body_bytes(const RequestBody& body) {
  if (!body.announced()) return std::nullopt;
  const http::BodyFraming framing = body.framing();
  return framing.kind == http::BodyFraming::Kind::length ? framing.length : body.received();
}

bool add_cgi_variables(const Dialect::Matter& matter, cgi::Protocol protocol) {
  Exchange& x = matter.x;
  const bool generic = x.settings->fcgi_backend == config::FcgiBackend::generic;
  const auto backend = generic ? cgi::BackendType::generic : cgi::BackendType::fpm;
  write_tls_environment(x);
  if (const auto id = unique_id(x); id && !x.environment.has("UNIQUE_ID"))
    x.environment.set("UNIQUE_ID", *id);
  if (!cgi::add_variables(describe_request(matter), describe_surroundings(x), protocol, backend,
                          x.environment, x.arena))
    return false;
  if (is_traced(x)) set_trace_variables(x);
  return protocol != cgi::Protocol::fcgi || apply_variables(x);
}

Failure cannot_be_told(std::string detail) {
  return {.party = Party::none,
          .cause = Cause::bad_message,
          .detail = std::move(detail),
          .status = 500,
          .has_plain_page = true};
}

}  // namespace steelyard::proxy
