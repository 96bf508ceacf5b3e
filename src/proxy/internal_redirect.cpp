#include "proxy/internal_redirect.hpp"

#include "proxy/tls_environment.hpp"

namespace steelyard::proxy {

namespace {

// Variables of before are those of the redirected request under other names.
void rename_environment(Exchange& x) {
  write_tls_environment(x);
  const std::vector<expr::Environment::Entry> before = x.environment.entries();
  x.environment.clear();
  // Values may lie in a lease, which ends with the redirect.
  for (const auto& entry : before)
    x.environment.set(x.arena.join("REDIRECT_", entry.name), x.arena.copy(entry.value));
}

void remember_first_request(Exchange& x, int status) {
  x.original_status = status;
  FirstRequest& first = x.first.write();
  first.path = x.path;
  first.query = x.query;
  first.proxied = x.proxied;
  first.asked_for_tunnel = x.request.method_id == http::Method::connect;
}

// What rules said of the path before is not true of the next: least of all who answers for it.
void forget_rewriting(Rewritten& rewritten) {
  rewritten.handler = rewritten.text = {};
  rewritten.is_local = false;
}

void set_target(Exchange& x, std::string_view path) {
  const std::size_t question = path.find('?');
  http::RequestTarget& target = x.request.target;
  target.path = path.substr(0, question);
  target.has_query = question != std::string_view::npos;
  target.query = target.has_query ? path.substr(question + 1) : std::string_view();
  target.form = http::RequestTarget::Form::origin;
}

}  // namespace

bool awaits_tunnel(const Exchange& x) {
  return x.client->opens_tunnel || (x.redirected && x.first->asked_for_tunnel);
}

void begin_internal_redirect(Exchange& x, int status, std::string_view path) {
  x.first.write().settings = x.settings;
  rename_environment(x);
  x.environment.set("REDIRECT_STATUS", x.arena.decimal(static_cast<std::uint64_t>(status)));
  x.environment.set("REDIRECT_REQUEST_METHOD", x.arena.copy(x.request.method));
  if (x.rewritten->reroutes == 0) remember_first_request(x, status);
  x.redirected = true;
  // Until the document has one: conditions ask for it, and ProxyErrorOverride may keep it.
  x.status = status;
  x.proxied = false;
  x.route = {};
  Guest& guest = x.guest.write();
  guest.settings_before = x.settings.get();
  // A document is this server's own; the field of a challenge that was made stays what it is.
  if (guest.challenge.empty()) guest.is_asked_by_proxy = false;
  forget_rewriting(x.rewritten.write());
  set_target(x, path);
  x.request.connection.upgrade = false;  // a document is no tunnel
  if (x.request.method_id != http::Method::head) {
    x.request.method = "GET";
    x.request.method_id = http::Method::get;
  }
  // A body that came was dropped; httpd announces an empty one in its place.
  const bool has_body = x.request.body.kind != http::BodyFraming::Kind::none;
  if (has_body) {
    x.request.body = {http::BodyFraming::Kind::length, 0};
    x.request.fields.remove(http::FieldId::transfer_encoding);
    x.request.fields.remove(http::FieldId::content_length);
    x.request.fields.add("Content-Length", "0");
  }
  // An expectation about what is over is not passed on (httpd).
  if (has_body || x.request.expects_the_unknown) x.request.fields.remove(http::FieldId::expect);
  x.request.expects_continue = x.request.expects_the_unknown = false;
  // What is known of the member outlives its lease in the log.
  const auto [scheme, authority, path_there] = x.backend_url;
  x.backend_url = {x.arena.copy(scheme), x.arena.copy(authority), x.arena.copy(path_there)};
  x.leases.clear();
}

void begin_reroute(Exchange& x, std::string_view path) {
  Rewritten& rewritten = x.rewritten.write();
  rewritten.held.push_back(x.settings);
  rename_environment(x);
  x.environment.set("REDIRECT_STATUS", "200");
  if (!x.redirected && rewritten.reroutes == 0) remember_first_request(x, 200);
  x.proxied = false;
  x.route = {};
  x.guest.write().settings_before = x.settings.get();
  ++rewritten.reroutes;
  forget_rewriting(rewritten);
  set_target(x, path);
}

}  // namespace steelyard::proxy
