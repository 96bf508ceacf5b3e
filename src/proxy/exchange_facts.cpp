#include <algorithm>

#include "base/text.hpp"
#include "proxy/exchange.hpp"
#include "proxy/sent_fields.hpp"
#include "proxy/server_variable.hpp"
#include "proxy/unique_id.hpp"
#include "tls/environment.hpp"
#include "tls/stream.hpp"
#include "tls/variables.hpp"

// What formats and rules learn about an exchange.

namespace steelyard::proxy {

using expr::NumberFact;
using expr::TextFact;

namespace {

std::string_view protocol_text(http::Version version) {
  switch (version.major * 10 + version.minor) {
    case 10:
      return "HTTP/1.0";
    case 12:
      return "HTTP/1.2";
    case 20:
      return "HTTP/2.0";
    case 30:
      return "HTTP/3.0";
    default:
      return "HTTP/1.1";
  }
}

// httpd logs what the client asked for, not what it was redirected to inside.
bool was_elsewhere(const Exchange& x) { return x.redirected || x.rewritten->reroutes > 0; }

// What HeartbeatAddress tells, in httpd's percentages: idle is what the busy connections leave of
// MaxRequestWorkers. Each is cut, so the two may add up to 99.
std::int64_t percent_of_capacity(const Exchange& x, NumberFact which) {
  const auto& asked = x.client->process->busy_connections;
  const std::uint64_t capacity = x.generation->config().heartbeat.capacity;
  const std::uint64_t busy = asked ? asked() : 0;
  const std::uint64_t idle = capacity - std::min(busy, capacity);
  const std::uint64_t part = which == NumberFact::busy_percent ? busy : idle;
  return static_cast<std::int64_t>(part * 100 / (busy + idle));
}

}  // namespace

std::string_view Exchange::backend_url_text() const {
  if (!proxied) return {};
  const std::string_view mark = has_query ? "?" : "";
  if (!backend_url.scheme.empty()) {
    return arena.join("proxy:", backend_url.scheme, "://", backend_url.authority, backend_url.path,
                      mark, query);
  }
  // httpd: only a raw path has its query before the URL is made whole.
  if (!route.canonical) return arena.join("proxy:", route.url);
  return arena.join("proxy:", route.url, mark, query);
}

const expr::Timeline* Exchange::timeline() const {
  return keeps_timeline_ ? timeline_.get() : nullptr;
}

std::string_view Exchange::text(TextFact which) const {
  switch (which) {
    case TextFact::client_ip:
      return client_ip();
    case TextFact::peer_ip:
      return client->peer_ip();
    case TextFact::client_host:
      return client_host;
    case TextFact::local_ip:
      return client->local_ip();
    case TextFact::method:
      return request.method;
    case TextFact::path:
      return recording && was_elsewhere(*this) ? first->path : path;
    case TextFact::final_path:
      return path;
    case TextFact::marked_query:
      // The '?' stands in front of the query wherever it came from.
      return has_query ? std::string_view(query.data() - 1, query.size() + 1) : query;
    case TextFact::query:
      return recording && was_elsewhere(*this) ? first->query : query;
    case TextFact::request_line:
      return request_line;
    case TextFact::protocol:
      return protocol_text(request.received_version);
    case TextFact::server_name:
      return server->name;
    case TextFact::canonical_name:
      return public_name();
    case TextFact::scheme:
      return scheme();
    case TextFact::handler:
      if (recording && rewritten->reroutes > 0) return "redirect-handler";
      if (responder != config::Responder::none && (recording || !redirected))
        return config::handler_name(responder);
      // httpd's log names the section's handler, also where mod_proxy came before it.
      if (recording && !redirected && !backend_url.scheme.empty() && settings->responder)
        if (const auto name = config::handler_name(*settings->responder); !name.empty())
          return name;
      return (recording && redirected ? first->proxied : proxied) ? "proxy-server"
                                                                  : std::string_view();
    case TextFact::filename:
      return proxied || recording ? backend_url_text() : rewritten->text;
    case TextFact::server_admin:
      return server->admin.empty() ? std::string_view("[no address given]") : server->admin;
    case TextFact::document_root:
      return server->document_root;
    case TextFact::connection_log_id:
    case TextFact::health_body:
      return {};
    case TextFact::load_averages:
      return client->process->load_averages ? arena.copy(client->process->load_averages())
                                            : std::string_view();
    case TextFact::log_id:
      return log_id_text_;
    case TextFact::server_software:
      return generation->banner();
  }
  return {};
}

std::int64_t Exchange::number(NumberFact which) const {
  switch (which) {
    case NumberFact::status:
      return status;
    case NumberFact::original_status:
      return original_status != 0 ? original_status : status;
    case NumberFact::request_status:
      // httpd's logs ask the request that came, before an ErrorDocument took its place.
      if (recording && original_status != 0) return original_status;
      return status != 0 ? status : 200;
    case NumberFact::body_bytes_sent:
      return bytes.body_sent;
    case NumberFact::bytes_received:
      return bytes.received;
    case NumberFact::bytes_sent:
      return bytes.sent;
    case NumberFact::keepalive_count:
      if (client->http2_stream != 0) return 1;  // httpd: each stream
      // httpd counts a connection's kept-alive requests; the one that closes it does not count on.
      return keep_client || closed_by_limit || client->requests_before == 0
                 ? client->requests_before
                 : client->requests_before - 1;
    case NumberFact::client_port:
      return client_endpoint().port;
    case NumberFact::peer_port:
      return client->peer.port;
    case NumberFact::local_port:
      return client->local.port;
    case NumberFact::canonical_port:
      // %p is the server's, whatever the client called it; SERVER_PORT is not (httpd).
      return recording ? server->name_port.value_or(usual_port()) : public_port();
    case NumberFact::process_id:
      return client->process->process_id;
    case NumberFact::thread_id:
      return client->process->thread_id;
    case NumberFact::first_byte_micros:
      if (first_byte_at == Instant{}) return -1;
      return std::chrono::duration_cast<std::chrono::microseconds>(first_byte_at - began_at)
          .count();
    case NumberFact::is_tls:
      return is_tls() ? 1 : 0;
    case NumberFact::idle_percent:
    case NumberFact::busy_percent:
      return percent_of_capacity(*this, which);
  }
  return 0;
}

const http::Field& Exchange::response_row(std::size_t i) const {
  return i < always.size() ? always[i] : normal[i - always.size()];
}

std::optional<std::string_view> Exchange::variable(std::string_view name) const {
  if (has_tls_environment)
    if (const auto own = tls_environment(name)) return own;
  if (const auto found = environment.find(name)) return found;
  if (name == "UNIQUE_ID" || (redirected && name == "REDIRECT_UNIQUE_ID")) return unique_id(*this);
  return std::nullopt;
}

std::optional<std::string_view> Exchange::note(std::string_view name) const {
  return notes.find(name);
}

// Empty where mod_ssl is not loaded: nobody knows these variables then (httpd).
std::optional<std::string_view> Exchange::tls_variable(std::string_view name) const {
  const auto& modules = generation->config().modules;
  const bool is_loaded = std::ranges::find(modules, "ssl_module") != modules.end();
  if (client->tls == nullptr && !is_loaded) return std::nullopt;
  const bool is_of_connection =
      starts_with_ignoring_case(name, "SSL_") || equals_ignoring_case(name, "HTTPS");
  if (!is_of_connection) return server_variable(*this, name);
  if (client->tls == nullptr) {
    if (equals_ignoring_case(name, "HTTPS")) return "off";
    return std::nullopt;
  }
  const tls::VariableContext context{settings->tls_options.value_or(config::TlsOptions()),
                                     wall_now};
  return tls::variable(client->tls->ssl(), name, context, arena);
}

std::optional<std::string_view> Exchange::tls_environment(std::string_view name) const {
  const tls::VariableContext context{settings->tls_options.value_or(config::TlsOptions()),
                                     wall_now};
  return tls::environment_variable(client->tls->ssl(), name, context, arena);
}

const Endpoint& Exchange::client_endpoint() const {
  return named_client.endpoint ? *named_client.endpoint : client->peer;
}

std::string_view Exchange::client_ip() const {
  return named_client.endpoint ? named_client.ip : client->peer_ip();
}

IpAddress Exchange::client_address() const { return client_endpoint().ip; }
IpAddress Exchange::local_address() const { return client->local.ip; }

expr::ConnectionEnd Exchange::connection_end() const {
  if (client_gone) return expr::ConnectionEnd::aborted;
  // httpd: the last answer that MaxKeepAliveRequests allows is logged as one that closes.
  const std::uint32_t most = server->client.keep_alive_requests_max;
  const bool last = most != 0 && client->requests_before + 1 >= most;
  return keep_client && !last ? expr::ConnectionEnd::kept : expr::ConnectionEnd::closed;
}

std::optional<std::string_view> Exchange::request_header(std::string_view name) const {
  return request.fields.value(name);
}

std::optional<std::string_view> Exchange::response_header(std::string_view name) const {
  if (recording) return sent_field(*this, name);
  if (const auto value = normal.value(name)) return value;
  return always.value(name);
}

std::optional<std::string_view> Exchange::request_trailer(std::string_view name) const {
  return request_trailers->value(name);
}

std::optional<std::string_view> Exchange::response_trailer(std::string_view name) const {
  return response_trailers->value(name);
}

std::string_view Exchange::request_header_name(std::size_t i) const {
  return request.fields[i].name;
}

std::string_view Exchange::request_header_value(std::size_t i) const {
  return request.fields[i].value;
}

std::string_view Exchange::response_header_name(std::size_t i) const {
  return response_row(i).name;
}

std::string_view Exchange::response_header_value(std::size_t i) const {
  return response_row(i).value;
}

// httpd: a request has an id once a line about it was logged (Core::log takes it then). What asks
// before that sees none.
void Exchange::take_log_id() const {
  constexpr std::size_t digits = 11;
  if (!log_id_text_.empty()) return;
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@-";
  std::uint64_t left = log_id;
  char* const text = arena.take(digits);
  for (std::size_t i = 0; i < digits; ++i, left >>= 6) text[i] = alphabet[left & 63];
  log_id_text_ = {text, digits};
}

}  // namespace steelyard::proxy
