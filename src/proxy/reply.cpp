#include "proxy/reply.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/reverse_map.hpp"
#include "http/hop_by_hop.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"
#include "http/token_list.hpp"
#include "http/warning.hpp"
#include "proxy/admission.hpp"
#include "proxy/compression.hpp"
#include "proxy/sent_fields.hpp"
#include "proxy/web_scheme.hpp"

namespace steelyard::proxy {

using http::FieldId;
using Kind = http::BodyFraming::Kind;

namespace {

config::ReverseContext reverse_context(Exchange& x) {
  const bool interpolates = x.settings->interpolate_env.value_or(false);
  return {*x.server, *x.settings, x.origin(), interpolates ? &x.environment : nullptr};
}

// Interpolated variables may hold what no field can: then the member's own value stays.
void set_mapped(Exchange& x, std::size_t row, std::string_view value) {
  if (http::first_control(value) == value.size()) x.normal.set_value(row, value);
}

void map_row(Exchange& x, std::size_t row, bool maps_urls, bool maps_cookies) {
  const http::Field& field = x.normal[row];
  switch (field.id) {
    case FieldId::location:
    case FieldId::content_location:
    case FieldId::uri:
    case FieldId::destination:
      if (maps_urls)
        set_mapped(x, row, config::map_response_url(reverse_context(x), field.value, x.arena));
      break;
    case FieldId::set_cookie:
      if (maps_cookies)
        set_mapped(x, row, config::map_set_cookie(reverse_context(x), field.value, x.arena));
      break;
    default:
      break;
  }
}

// httpd's mod_proxy_http2: who was asked by the client's name for this host answers with it.
bool may_map(const Exchange& x) {
  const bool over_http2 = x.backend_url.scheme == "h2" || x.backend_url.scheme == "h2c";
  // Of places that the client named nothing has to be hidden.
  if (x.route.is_forward) return false;
  return !over_http2 || !x.settings->preserve_host.value_or(false);
}

void tidy_date(Exchange& x, std::size_t row) {
  const http::Field& field = x.normal[row];
  const bool is_date = field.id == FieldId::date || field.id == FieldId::expires ||
                       field.id == FieldId::last_modified;
  // The one shape that need not be read: "Sun, 06 Nov 1994 08:49:37 GMT".
  if (!is_date || (field.value.size() == http::date_bytes && field.value[3] == ',')) return;
  x.normal.set_value(row, http::normalise_date(field.value, x.arena));
}

// The note proxy-status: the member's own status, for logs.
void note_backend_status(Exchange& x) {
  // Of "HTTP/1.1 200 OK"; an answer without a status line counts as 200.
  const std::string_view line = x.response.line;
  x.notes.set("proxy-status", line.size() >= 12 ? line.substr(9, 3) : std::string_view("200"));
}

// A HEAD is told of the chunks that a GET would get.
bool announces_chunks(const Exchange& x) {
  if (x.request.method_id != http::Method::head) return false;
  const auto coding = x.normal.value(FieldId::transfer_encoding);
  return coding && equals_ignoring_case(*coding, "chunked");
}

// In the place of all rows of that name those that were collected in `always`, behind the others.
void replace_by_collected(Exchange& x, FieldId id) {
  x.normal.remove(id);
  for (const http::Field& field : x.always) x.normal.add(field.name, field.value, field.id);
  x.always.clear();
}

// httpd writes cookies behind all other fields of the member.
void move_cookies_last(Exchange& x) {
  const std::size_t count = x.normal.size();
  for (std::size_t row = 0; row < count; ++row) {
    const http::Field field = x.normal[row];
    if (field.id == FieldId::set_cookie) x.always.add(field.name, field.value);
  }
  replace_by_collected(x, FieldId::set_cookie);
}

// httpd passes a warning on when it has no date or the answer's, each in a row of its own, and
// drops the others with everything that is none (RFC 2616 14.46).
void clean_warnings(Exchange& x) {
  const auto date = x.normal.value(FieldId::date);
  const auto answered = date ? http::parse_date(*date) : std::nullopt;
  for (const http::Field& field : x.normal) {
    if (field.id != FieldId::warning) continue;
    std::string_view rest = field.value;
    while (const auto warning = http::take_warning(rest)) {
      const auto dated = http::parse_date(warning->date);
      if (!dated || dated == answered) x.always.add(field.name, warning->text, field.id);
    }
  }
  replace_by_collected(x, FieldId::warning);
}

// What mod_proxy_http does to the fields of an answer and no other module.
void tidy_as_http(Exchange& x) {
  for (std::size_t row = 0; row < x.normal.size(); ++row) tidy_date(x, row);
  if (x.normal.has(FieldId::set_cookie)) move_cookies_last(x);
  if (x.normal.has(FieldId::warning)) clean_warnings(x);
  if (const std::string_view via = via_text(x); !via.empty()) x.normal.add("Via", via);
}

bool closes_connection(const http::FieldList& fields) {
  if (!fields.has(FieldId::connection)) return false;
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return field.id == FieldId::connection && http::has_token(field.value, "close");
  });
}

bool may_keep_client(Exchange& x, const Shard::Core& core, const ReplyFraming& framing) {
  const config::ClientSettings& client = x.server->client;
  // httpd: a stream serves one request (%X).
  if (!x.keep_client || core.draining || speaks_http2(x)) return false;
  // httpd counts the request that uses up MaxKeepAliveRequests, whatever else closes (%k).
  const std::uint32_t most = client.keep_alive_requests_max;
  x.closed_by_limit = most != 0 && x.client->requests_before >= most;
  if (x.closed_by_limit || framing.ends_by_closing || !client.keep_alive) return false;
  const auto& asked = x.request.connection;
  const bool asks = x.has_switch("downgrade-1.0") ? asked.keep_alive && !asked.close
                                                  : x.request.asks_keep_alive();
  if (!asks || http::closes_connection(x.status)) return false;
  // A Header rule said so.
  if (closes_connection(x.normal) || closes_connection(x.always)) return false;
  // httpd: a client that waits for leave to send its body is not waited for.
  if (x.own_answer && x.request.expects_continue) return false;
  return !x.has_switch("nokeepalive");
}

// httpd says it in the place where a rule said it before, and once.
void say_how_long(Exchange& x) {
  const config::ClientSettings& client = x.server->client;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(client.keep_alive_timeout).count();
  const std::string_view time = x.arena.decimal(static_cast<std::uint64_t>(seconds));
  const std::uint32_t most = client.keep_alive_requests_max;
  const std::string_view text =
      most == 0 ? x.arena.join("timeout=", time)
                : x.arena.join("timeout=", time, ", max=",
                               x.arena.decimal(std::uint64_t{most - x.client->requests_before}));
  if (x.always.has(FieldId::keep_alive)) {
    x.always.set("Keep-Alive", text);
    x.normal.remove(FieldId::keep_alive);
  } else if (x.normal.has(FieldId::keep_alive)) {
    x.normal.set("Keep-Alive", text);
  } else {
    x.normal.add("Keep-Alive", text, FieldId::keep_alive);
  }
}

// It joins what a rule said first.
void say_of_connection(Exchange& x, std::string_view own) {
  http::FieldList& fields = x.always.has(FieldId::connection) ? x.always : x.normal;
  const http::Field* const said = fields.find(FieldId::connection);
  if (said == nullptr) return fields.add("Connection", own, FieldId::connection);
  if (http::has_token(said->value, "close")) return;
  const auto row = static_cast<std::size_t>(said - &fields[0]);
  fields.set_value(row, said->value.empty() ? own : x.arena.join(said->value, ", ", own));
}

// What our end says, beside or instead of what rules said. The tables then hold what is sent, where
// logs find it.
void say_own_words(Exchange& x, const ReplyFraming& framing) {
  if (speaks_http2(x)) return;
  if (!x.keep_client) {
    say_of_connection(x, "close");
  } else if (x.request.connection.keep_alive) {
    say_how_long(x);
    say_of_connection(x, "Keep-Alive");
  }
  if (framing.framing == Framing::chunked)
    x.normal.add("Transfer-Encoding", "chunked", FieldId::transfer_encoding);
}

void append_status_line(const Exchange& x, http::HeadText& out) {
  // httpd: a status that it has no words for, kept for an ErrorDocument, is a 500 on the wire.
  constexpr int internal_error = 500;
  const bool was_kept = x.redirected && !x.own_answer && x.status != x.response.status;
  const bool is_wordless = was_kept && http::reason_phrase(x.status).empty();
  const bool is_older = x.request.version.minor == 0 || x.has_switch("downgrade-1.0");
  out.append(is_older && x.has_switch("force-response-1.0") ? "HTTP/1.0 " : "HTTP/1.1 ")
      .append(static_cast<std::uint64_t>(is_wordless ? internal_error : x.status))
      .append(" ")
      .append(is_wordless ? http::reason_phrase(internal_error) : x.reason)
      .append("\r\n");
}

bool comes_first(FieldId id) { return id == FieldId::date || id == FieldId::server; }

// httpd keeps one of several Content-Type fields.
void keep_one_type(Exchange& x) {
  bool has_type = false;
  x.normal.remove_if([&](const http::Field& field) {
    return field.id == FieldId::content_type && std::exchange(has_type, true);
  });
}

// False: a field would hold what none can.
bool apply_header_rules(Exchange& x, Shard::Core& core) {
  const config::PathSettings& settings = *x.settings;
  if (settings.response_always.empty() && settings.response_normal.empty()) return true;
  const BodyWords words(x);
  x.ended_at = core.now();
  expr::Remarks remarks;
  bool is_clean =
      expr::apply(settings.response_always, {x.always, x.notes, x.arena, &x.normal, &remarks}, x);
  is_clean &=
      expr::apply(settings.response_normal, {x.normal, x.notes, x.arena, nullptr, &remarks}, x);
  core.heed(x, "headers", "a Header line", remarks);
  words.restore(x);
  return is_clean;
}

// AddDefaultCharset: httpd names it last, behind whatever Header made of the type.
void name_charset(Exchange& x, std::string_view charset) {
  constexpr int not_modified = 304;
  const http::Field* const type = x.normal.find(FieldId::content_type);
  if (type == nullptr || x.status == not_modified) return;
  const std::string_view media = trim(type->value.substr(0, type->value.find(';')));
  const bool is_text =
      equals_ignoring_case(media, "text/html") || equals_ignoring_case(media, "text/plain");
  if (!is_text || find_ignoring_case(type->value, "charset=") != std::string_view::npos) return;
  const auto row = static_cast<std::size_t>(type - &x.normal[0]);
  x.normal.set_value(row, x.arena.join(type->value, "; charset=", charset));
}

}  // namespace

BodyWords::BodyWords(const Exchange& x)
    : length_(x.normal.value(FieldId::content_length)),
      has_chunks_(x.normal.has(FieldId::transfer_encoding)) {}

void BodyWords::restore(Exchange& x) const {
  x.always.remove(FieldId::content_length);
  x.always.remove(FieldId::transfer_encoding);
  if (has_chunks_ && x.normal.has(FieldId::transfer_encoding)) {
    x.normal.set("Transfer-Encoding", "chunked");
  } else {
    x.normal.remove(FieldId::transfer_encoding);
  }
  const http::Field* const length = x.normal.find(FieldId::content_length);
  if (length == nullptr) return;
  if (!length_) {
    x.normal.remove(FieldId::content_length);
  } else if (length->value != *length_ || x.normal.may_have_duplicates()) {
    x.normal.set("Content-Length", *length_);
  }
}

void name_varying_fields(Exchange& x) {
  const http::Field* const vary = x.normal.find(FieldId::vary);
  if (vary == nullptr) return;
  std::string_view names;
  for (const http::Field& field : x.normal) {
    if (field.id != FieldId::vary) continue;
    for (const std::string_view name : http::tokens(field.value)) {
      if (!http::has_token(names, name))
        names = names.empty() ? name : x.arena.join(names, ",", name);
    }
  }
  x.normal.set("Vary", names);
}

void add_own_fields(Exchange& x) {
  if (!x.guest->challenge.empty()) x.always.add(auth_words(x).challenge, x.guest->challenge);
  for (const auto& [name, line] : x.rewritten->cookies) x.always.add("Set-Cookie", line);
}

void advise_wait(Exchange& x) {
  if (x.retry_after_seconds == 0) return;
  x.normal.set("Retry-After", x.arena.decimal(static_cast<std::uint64_t>(x.retry_after_seconds)));
}

std::string_view via_text(Exchange& x) {
  using Via = config::ProxySettings::Via;
  if (x.server->proxy.via != Via::on && x.server->proxy.via != Via::full) return {};
  const std::string_view version = x.request.version.minor == 0 ? "1.0 " : "1.1 ";
  const std::uint16_t port = x.public_port();
  std::string_view text = x.arena.join(version, x.server->name);
  if (port != x.usual_port()) text = x.arena.join(text, ":", x.arena.decimal(port));
  if (x.server->proxy.via == Via::full) text = x.arena.join(text, " (", program_banner, ")");
  return text;
}

Adopted adopt_backend_head(Exchange& x, Shard::Core& core, const Adoption& adoption) {
  std::swap(x.normal, x.response.fields);
  x.always.clear();
  x.status = x.response.status;
  if (leaves_notes(x.backend_url.scheme)) note_backend_status(x);
  x.reason = x.response.reason;
  if (adoption.kept_status != 0) {
    x.status = adoption.kept_status;
    x.reason = http::reason_phrase(x.status);
  }
  http::remove_response_hop_by_hop(
      x.normal, announces_chunks(x) ? http::TransferCoding::kept : http::TransferCoding::removed);
  const config::PathSettings& settings = *x.settings;
  if (x.normal.may_have_duplicates()) keep_one_type(x);
  const bool maps = may_map(x);
  const bool maps_urls = maps && !settings.reverse_urls.empty();
  const bool maps_cookies =
      maps && (!settings.reverse_cookie_domains.empty() || !settings.reverse_cookie_paths.empty());
  for (std::size_t row = 0; row < x.normal.size(); ++row) map_row(x, row, maps_urls, maps_cookies);
  if (adoption.is_http) tidy_as_http(x);
  if (x.redirected) advise_wait(x);
  add_own_fields(x);
  auto deflater = begin_compression(x, core, adoption.beginning);
  const bool is_clean = apply_header_rules(x, core);
  name_varying_fields(x);
  if (settings.default_charset && !settings.default_charset->empty())
    name_charset(x, *settings.default_charset);
  return {is_clean, std::move(deflater)};
}

ReplyFraming frame_reply(Exchange& x, const ReplyBody& beginning, const http::BodyFraming& body) {
  ReplyFraming result{.framing = whole_framing(x)};
  if (http::has_no_body(x.status)) {
    x.normal.remove(FieldId::content_length);
    x.normal.remove(FieldId::transfer_encoding);
  }
  if (x.request.method_id == http::Method::head || http::has_no_body(x.status)) {
    // httpd: a HEAD is not told of an empty body.
    if (x.normal.value(FieldId::content_length) == "0") x.normal.remove(FieldId::content_length);
    return result;
  }
  result.has_body = true;
  const bool tells_length = x.normal.has(FieldId::content_length);
  if (body.kind == Kind::none || (body.kind == Kind::length && tells_length)) return result;
  x.normal.remove(FieldId::content_length);
  if (body.kind == Kind::length && beginning.pending_is_last()) {
    x.normal.add("Content-Length", x.arena.decimal(body.length));
    return result;
  }
  // An empty body that is known to be over has a length, whatever its framing was (httpd).
  if (beginning.finished() && body.kind == Kind::chunked) {
    x.normal.add("Content-Length", "0");
    return result;
  }
  if (speaks_http2(x)) return result;
  const bool older = x.has_switch("downgrade-1.0");
  if (x.request.version.minor >= 1 && !older) {
    result.framing = Framing::chunked;
  } else {
    result.ends_by_closing = true;
  }
  return result;
}

void write_reply_head(Exchange& x, Shard::Core& core, const ReplyFraming& framing,
                      http::HeadText& out) {
  x.keep_client = may_keep_client(x, core, framing);
  say_own_words(x, framing);
  out.clear();
  append_status_line(x, out);
  if (const auto date = told_by_others(x, FieldId::date)) {
    out.append_field("Date", *date);
  } else {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(core.parts.loop.wall_now());
    const std::string_view date_now = core.date.at(seconds);
    out.append_field("Date", date_now);
    // Logs tell of it there.
    if (speaks_http2(x)) x.normal.add("Date", x.arena.copy(date_now), FieldId::date);
  }
  out.append_field("Server", told_by_others(x, FieldId::server).value_or(x.generation->banner()));
  for (const http::Field& field : x.always)
    if (!comes_first(field.id)) out.append_field(field);
  for (const http::Field& field : x.normal) {
    if (comes_first(field.id)) continue;
    if (x.own_answer && field.id == FieldId::content_type) continue;
    out.append_field(field);
  }
  // httpd sets the type of its own pages last.
  if (x.own_answer && x.normal.has(FieldId::content_type))
    out.append_field("Content-Type", *x.normal.value(FieldId::content_type));
  out.append("\r\n");
}

void write_interim_head(Exchange& x, http::HeadText& out) {
  out.clear();
  out.append("HTTP/1.1 ")
      .append(static_cast<std::uint64_t>(x.response.status))
      .append(" ")
      .append(x.response.reason)
      .append("\r\n");
  for (const http::Field& field : x.response.fields) {
    const bool hop_by_hop = field.id == FieldId::connection || field.id == FieldId::keep_alive ||
                            field.id == FieldId::upgrade;
    if (!hop_by_hop) out.append_field(field);
  }
  if (const std::string_view via = via_text(x); !via.empty()) out.append_field("Via", via);
  out.append("\r\n");
}

}  // namespace steelyard::proxy
