#include "proxy/client/http2_request.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/connection_fields.hpp"
#include "http/expectation.hpp"
#include "http/syntax.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

using http::FieldId;
using Result = Http2RequestReader::Result;

namespace {

bool has_upper_case(std::string_view name) {
  for (const char c : name)
    if (c >= 'A' && c <= 'Z') return true;
  return false;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// RFC 3986 3.1.
bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '+' || c == '-' || c == '.';
  });
}

}  // namespace

std::string_view camel_case(std::string_view name, Arena& arena) {
  char* const text = arena.take(name.size());
  bool starts = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    text[i] = starts ? upper(name[i]) : name[i];
    starts = name[i] == '-';
  }
  return {text, name.size()};
}

void Http2RequestReader::begin(http::RequestHead& head, Arena& arena,
                               const http::RequestLimits& limits) {
  *this = Http2RequestReader();
  head_ = &head;
  arena_ = &arena;
  limits_ = limits;
}

bool Http2RequestReader::is_beyond_limits() const {
  return bytes_ > head_buffer_bytes_max || rows_ > http2_surplus_fields_max + limits_.fields_max;
}

bool Http2RequestReader::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + 4;  // as HTTP/1 would write it: ": " and CR LF
  if (name.starts_with(':')) {
    if (!add_pseudo(name, value)) is_malformed_ = true;
    return !is_beyond_limits();
  }
  ++rows_;
  const std::size_t rows_max =
      limits_.fields_max == 0 ? http::unlimited_fields_max : limits_.fields_max;
  if (name.size() + 2 + value.size() > limits_.field_bytes_max || rows_ > rows_max) {
    refuse(431);
  } else if (!http::is_token(name) || has_upper_case(name) ||
             http::first_control(value) != value.size()) {
    is_malformed_ = true;
  } else {
    add_field(name, value);
  }
  return !is_beyond_limits();
}

bool Http2RequestReader::add_pseudo(std::string_view name, std::string_view value) {
  if (value.size() > limits_.line_bytes_max) {
    refuse(414);
    // Something has to stand in the log.
    value = value.substr(0, limits_.line_bytes_max);
  }
  std::string_view* const place = name == ":method"      ? &method_
                                  : name == ":path"      ? &path_
                                  : name == ":scheme"    ? &scheme_
                                  : name == ":authority" ? &authority_
                                  : name == ":protocol"  ? &protocol_
                                                         : nullptr;
  // An empty one is not as good as none: none is what tells a CONNECT of one kind from the other.
  if (place == nullptr || !place->empty() || value.empty()) return false;
  *place = arena_->copy(value);
  return true;
}

void Http2RequestReader::add_field(std::string_view name, std::string_view value) {
  value = http::trim_blanks(value);
  const FieldId id = http::field_id(name);
  const bool is_about_connection =
      http::connection_fields.contains(id) || id == FieldId::http2_settings;
  if (is_about_connection || (id == FieldId::te && value != "trailers")) {
    is_malformed_ = true;
    return;
  }
  const bool stands_alone = id == FieldId::host || id == FieldId::content_length;
  if (stands_alone && head_->fields.has(id)) {
    is_malformed_ = true;
    return;
  }
  if (id == FieldId::cookie) return add_cookie(name, value);
  head_->fields.add(camel_case(name, *arena_), arena_->copy(value), id);
}

// Clients send each cookie in a field of its own (RFC 9113 8.2.3); they belong together.
void Http2RequestReader::add_cookie(std::string_view name, std::string_view value) {
  if (!has_cookie_) {
    has_cookie_ = true;
    cookie_row_ = head_->fields.size();
    head_->fields.add(camel_case(name, *arena_), arena_->copy(value), FieldId::cookie);
    return;
  }
  const std::string_view before = head_->fields[cookie_row_].value;
  if (before.size() + 2 + value.size() > limits_.field_bytes_max) return refuse(431);
  head_->fields.set_value(cookie_row_, arena_->join(before, "; ", value));
}

int Http2RequestReader::split_line() {
  http::RequestHead& head = *head_;
  head.method = opens_websocket() ? std::string_view("GET") : method_;
  head.method_id = http::method_of(head.method);
  const bool is_connect = is_plain_connect();
  const std::string_view target = is_connect ? authority_ : path_;
  head.line = arena_->join(head.method, " ", target, " HTTP/2.0");
  head.received_version = {2, 0};
  head.version = http::http_1_1;
  const auto fault = http::split_target(
      target, {.is_connect = is_connect, .is_options = head.method_id == http::Method::options},
      head.target);
  if (fault) return 400;
  // An absolute one would bring a second authority.
  return head.target.form == http::RequestTarget::Form::absolute ? 400 : 0;
}

// httpd: http and https are served over either kind of connection, since TLS may have ended at one
// in front of us; the word counts for nothing else. Of other schemes there is nothing here.
int Http2RequestReader::check_scheme() {
  if (scheme_.empty() || equals_ignoring_case(scheme_, "http") ||
      equals_ignoring_case(scheme_, "https"))
    return 0;
  http::RequestHead& head = *head_;
  if (path_.starts_with('/'))  // what was asked for stands in the log (httpd)
    head.line = arena_->join(head.method, " ", scheme_, "://", head.host, path_, " HTTP/2.0");
  return 400;
}

// :authority counts more than Host (RFC 9113 8.3.1).
int Http2RequestReader::settle_host() {
  http::RequestHead& head = *head_;
  const auto host = head.fields.value(FieldId::host);
  if (authority_.empty() && (!host || host->empty())) return 400;
  if (authority_.empty()) {
    head.host = *host;
  } else {
    head.host = authority_;
    head.fields.set("Host", authority_);
  }
  head.host_parts = http::split_host(head.host);
  return head.host_parts ? 0 : 400;
}

int Http2RequestReader::frame_body(bool has_body) {
  http::RequestHead& head = *head_;
  const auto length = head.fields.value(FieldId::content_length);
  if (!protocol_.empty()) return length ? 400 : 0;
  // RFC 9110 9.3.6: it has none; what follows is the tunnel's, whatever the field says.
  if (is_plain_connect()) return !length || http::parse_length(*length) == 0 ? 0 : 400;
  if (length) {
    const auto bytes = http::parse_length(*length);
    if (!bytes || (!has_body && *bytes != 0)) return 400;
    head.body = {http::BodyFraming::Kind::length, *bytes};
  } else if (has_body) {
    head.body = {http::BodyFraming::Kind::chunked, 0};
  }
  return 0;
}

// An extended one has a path as all other methods.
bool Http2RequestReader::is_plain_connect() const {
  return http::method_of(method_) == http::Method::connect && protocol_.empty();
}

bool Http2RequestReader::is_whole() const {
  if (method_.empty() || !http::is_token(method_)) return false;
  if (!scheme_.empty() && !is_scheme(scheme_)) return false;
  // RFC 9113 8.5: a place, and nothing that a proxy could take for the way to something there.
  if (is_plain_connect()) return path_.empty() && scheme_.empty() && !authority_.empty();
  if (protocol_.empty()) return !path_.empty();
  const bool is_connect = http::method_of(method_) == http::Method::connect;
  return is_connect && !path_.empty() && !scheme_.empty() && !authority_.empty();
}

Result Http2RequestReader::finish(bool has_body) {
  head_->head_bytes = bytes_;
  if (is_malformed_ || !is_whole()) return {Result::Kind::malformed};
  int status = split_line();
  if (status == 0) status = settle_host();
  if (status == 0) status = frame_body(has_body);
  http::read_expectation(*head_);
  constexpr int not_implemented = 501;  // httpd: of a protocol that is none we know
  if (status == 0 && !protocol_.empty() && !opens_websocket()) status = not_implemented;
  if (status == 0) status = check_scheme();
  // What the limits say comes first: the rest may be missing because of them.
  if (status_ != 0) status = status_;
  if (status != 0) return {Result::Kind::fault, status};
  if (is_plain_connect()) return {Result::Kind::tunnel};
  if (!opens_websocket()) return {};
  // Rules ask for these (httpd: the same).
  head_->fields.add("Upgrade", protocol_, FieldId::upgrade);
  head_->fields.add("Connection", "Upgrade", FieldId::connection);
  head_->connection.upgrade = true;
  return {Result::Kind::websocket};
}

}  // namespace steelyard::proxy
