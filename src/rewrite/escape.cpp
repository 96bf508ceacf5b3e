#include "rewrite/escape.hpp"

#include <algorithm>
#include <array>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::rewrite {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool stays_in_path(char c) {
  return is_alnum(c) || std::string_view("$-_.+!*'(),:;@&=/~").find(c) != std::string_view::npos;
}

char* put_escaped(char* out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  *out++ = '%';
  *out++ = hex_digits[byte >> 4U];
  *out++ = hex_digits[byte & 15U];
  return out;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_kept(char c, const ReferenceEscaping& how) {
  if (how.except.find(c) != std::string::npos) return true;
  if (how.controls_only) return c != ' ' && !is_control(c);
  if (!how.only.empty()) return how.only.find(c) == std::string::npos;
  return is_alnum(c) || c == '_';
}

struct Scheme {
  std::string_view prefix;
  bool has_query;
};

// httpd's list: what begins otherwise is a path.
constexpr auto schemes = std::to_array<Scheme>({
    {"http://", true},     {"https://", true}, {"ws://", true},      {"wss://", true},
    {"balancer://", true}, {"ajp://", true},   {"fcgi://", true},    {"scgi://", true},
    {"uwsgi://", true},    {"h2://", true},    {"h2c://", true},     {"unix:", true},
    {"ftp://", false},     {"ldap://", true},  {"gopher://", false}, {"mailto:", true},
    {"news:", false},      {"nntp://", false}, {"xmpp:", true},
});

const Scheme* scheme_of(std::string_view text) {
  const auto* const found = std::ranges::find_if(schemes, [text](const Scheme& scheme) {
    return text.size() > scheme.prefix.size() && starts_with_ignoring_case(text, scheme.prefix);
  });
  return found == schemes.end() ? nullptr : found;
}

}  // namespace

std::string_view escape_path(std::string_view text, Arena& arena) {
  if (std::ranges::all_of(text, stays_in_path)) return text;
  const std::size_t taken = 3 * text.size();
  char* const room = arena.take(taken);
  char* out = room;
  for (const char c : text) {
    if (stays_in_path(c)) {
      *out++ = c;
    } else {
      out = put_escaped(out, c);
    }
  }
  const auto used = static_cast<std::size_t>(out - room);
  arena.give_back(taken, used);
  return {room, used};
}

std::string_view escape_url(std::string_view url, Arena& arena) {
  const std::size_t begin = scheme_bytes(url);
  std::size_t path = begin;
  if (begin > 0 && url[begin - 1] == '/') path = std::min(url.find('/', begin), url.size());
  const std::string_view rest = url.substr(path);
  const std::string_view escaped = escape_path(rest, arena);
  return escaped.data() == rest.data() ? url : arena.join(url.substr(0, path), escaped);
}

std::string_view unescape(std::string_view text, Arena& arena) {
  if (!text.contains('%')) return text;
  char* const room = arena.take(text.size());
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      room[used++] = text[i];
      continue;
    }
    const bool is_long_enough = i + 2 < text.size();
    const int high = is_long_enough ? http::hex_value(text[i + 1]) : -1;
    const int low = is_long_enough ? http::hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      room[used++] = '%';
      continue;
    }
    const int byte = 16 * high + low;
    if (byte == 0) break;
    room[used++] = static_cast<char>(byte);
    i += 2;
  }
  return {room, used};
}

std::string_view escape_reference(std::string_view text, const ReferenceEscaping& how,
                                  Arena& arena) {
  if (!how.on || std::ranges::all_of(text, [&](char c) { return is_kept(c, how); })) return text;
  const std::size_t taken = 3 * text.size();
  char* const room = arena.take(taken);
  char* out = room;
  for (const char c : text) {
    if (is_kept(c, how)) {
      *out++ = c;
    } else if (c == ' ' && how.blank_is_plus) {
      *out++ = '+';
    } else {
      out = put_escaped(out, c);
    }
  }
  const auto used = static_cast<std::size_t>(out - room);
  arena.give_back(taken, used);
  return {room, used};
}

std::size_t scheme_bytes(std::string_view text) {
  const Scheme* const scheme = scheme_of(text);
  return scheme == nullptr ? 0 : scheme->prefix.size();
}

bool may_have_query(std::string_view text) {
  const Scheme* const scheme = scheme_of(text);
  return scheme == nullptr || scheme->has_query;
}

std::optional<HttpUrl> split_http_url(std::string_view url) {
  constexpr std::string_view prefix = "http://";
  if (!starts_with_ignoring_case(url, prefix)) return std::nullopt;
  const std::string_view rest = url.substr(prefix.size());
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const std::size_t colon = authority.find(':');
  HttpUrl parts;
  parts.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto port = parse_unsigned(authority.substr(colon + 1));
    if (!port || *port > 65535) return std::nullopt;
    parts.port = static_cast<std::uint16_t>(*port);
  }
  parts.path = end == rest.size() ? std::string_view("/") : rest.substr(end);
  return parts;
}

}  // namespace steelyard::rewrite
