#include "expr/functions.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/arena.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"
#include "expr/local_files.hpp"
#include "http/syntax.hpp"

namespace steelyard::expr {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string_view request_field(std::string_view name, Evaluation& evaluation) {
  evaluation.note_request_field(name);
  return evaluation.facts.request_header(name).value_or("");
}

std::string_view request_field_unnoted(std::string_view name, Evaluation& evaluation) {
  return evaluation.facts.request_header(name).value_or("");
}

std::string_view response_field(std::string_view name, Evaluation& evaluation) {
  return evaluation.facts.response_header(name).value_or("");
}

std::string_view request_variable(std::string_view name, Evaluation& evaluation) {
  return evaluation.facts.variable(name).value_or("");
}

std::string_view tls_variable(std::string_view name, Evaluation& evaluation) {
  return evaluation.facts.tls_variable(name).value_or("");
}

std::string_view note(std::string_view name, Evaluation& evaluation) {
  return evaluation.facts.note(name).value_or("");
}

// Nothing changes the process environment once the configuration was read.
std::string_view process_variable(std::string_view name, Evaluation& evaluation) {
  const std::string_view terminated = evaluation.arena.join(name, std::string_view("\0", 1));
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): join() put the null byte there.
  const char* const value = std::getenv(terminated.data());
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string_view any_variable(std::string_view name, Evaluation& evaluation) {
  if (const auto found = evaluation.facts.note(name)) return *found;
  if (const auto found = evaluation.facts.variable(name)) return *found;
  return process_variable(name, evaluation);
}

template <char (*change)(char)>
std::string_view each_letter(std::string_view text, Evaluation& evaluation) {
  char* const room = evaluation.arena.take(text.size());
  std::ranges::transform(text, room, change);
  return {room, text.size()};
}

// Stays itself in a path (httpd's escape leaves ';' '=' '&' alone and hides '?' and '%').
bool is_path_char(char c) {
  return is_alnum(c) || (c != '\0' && std::strchr("$-_.+!*'(),:@&=/~;", c) != nullptr);
}

std::string_view escape(std::string_view text, Evaluation& evaluation) {
  const std::size_t taken = text.size() * 3;
  char* const room = evaluation.arena.take(taken);
  char* out = room;
  for (const char c : text) {
    if (is_path_char(c)) {
      *out++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *out++ = '%';
    *out++ = hex_digits[byte >> 4U];
    *out++ = hex_digits[byte & 15U];
  }
  const auto written = static_cast<std::size_t>(out - room);
  evaluation.arena.give_back(taken, written);
  return {room, written};
}

// httpd: a wrong escape or a NUL makes the whole result empty, an escaped slash stays escaped.
std::string_view unescape(std::string_view text, Evaluation& evaluation) {
  char* const room = evaluation.arena.take(text.size());
  char* out = room;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *out++ = text[i];
      continue;
    }
    if (i + 2 >= text.size()) return {};
    const int high = http::hex_value(text[i + 1]);
    const int low = http::hex_value(text[i + 2]);
    const int byte = high * 16 + low;
    if (high < 0 || low < 0 || byte == 0) return {};
    if (byte == '/') {
      out = std::copy_n(text.data() + i, 3, out);
    } else {
      *out++ = static_cast<char>(byte);
    }
    i += 2;
  }
  return {room, static_cast<std::size_t>(out - room)};
}

std::string_view base64(std::string_view text, Evaluation& evaluation) {
  const std::size_t bytes = (text.size() + 2) / 3 * 4;
  char* const room = evaluation.arena.take(bytes);
  char* out = room;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < count ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      *out++ = k <= count ? base64_digits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return {room, bytes};
}

// httpd decodes up to the first byte that is no digit.
std::string_view unbase64(std::string_view text, Evaluation& evaluation) {
  const std::size_t taken = text.size() / 4 * 3 + 3;
  char* const room = evaluation.arena.take(taken);
  std::size_t written = 0;
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const char c : text) {
    const std::size_t digit = base64_digits.find(c);
    if (digit == std::string_view::npos) break;
    bits = (bits << 6U | static_cast<std::uint32_t>(digit)) & 0xffffU;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      room[written++] = static_cast<char>(bits >> bit_count);
    }
  }
  evaluation.arena.give_back(taken, written);
  return {room, written};
}

template <auto digest>
std::string_view in_hex(std::string_view text, Evaluation& evaluation) {
  const auto bytes = digest(text);
  char* const room = evaluation.arena.take(2 * bytes.size());
  char* out = room;
  for (const std::uint8_t byte : bytes) {
    *out++ = hex_digits[byte >> 4U];
    *out++ = hex_digits[byte & 15U];
  }
  return {room, 2 * bytes.size()};
}

// RFC 4514 and RFC 4515 together, as httpd has them.
std::string_view escape_for_ldap(std::string_view text, Evaluation& evaluation) {
  const std::size_t taken = text.size() * 3;
  char* const room = evaluation.arena.take(taken);
  char* out = room;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x20 && byte < 0x7f &&
                          std::string_view("\\,+\"<>;*()").find(c) == std::string_view::npos;
    if (is_plain) {
      *out++ = c;
      continue;
    }
    *out++ = '\\';
    *out++ = hex_digits[byte >> 4U];
    *out++ = hex_digits[byte & 15U];
  }
  const auto written = static_cast<std::size_t>(out - room);
  evaluation.arena.give_back(taken, written);
  return {room, written};
}

std::string_view file(std::string_view path, Evaluation& evaluation) {
  const LocalFiles* const files = evaluation.facts.local_files();
  if (files == nullptr) return {};
  const auto text = files->read(path, evaluation.arena);
  if (text) return *text;
  evaluation.fail(text.error(), path);
  return {};
}

std::string_view file_bytes(std::string_view path, Evaluation& evaluation) {
  const LocalFiles* const files = evaluation.facts.local_files();
  const std::uint64_t bytes = files == nullptr ? 0 : files->bytes_of(path).value_or(0);
  constexpr std::size_t room_bytes = 20;
  char* const room = evaluation.arena.take(room_bytes);
  const auto end = std::to_chars(room, room + room_bytes, bytes);
  const auto written = static_cast<std::size_t>(end.ptr - room);
  evaluation.arena.give_back(room_bytes, written);
  return {room, written};
}

// mod_proxy_hcheck: hc('body'), in any case; nothing else is known of an answer.
std::string_view health_check(std::string_view part, Evaluation& evaluation) {
  if (!equals_ignoring_case(part, "body")) return {};
  return evaluation.facts.text(TextFact::health_body);
}

constexpr Function functions[] = {
    {"req", request_field},
    {"http", request_field},
    {"req_novary", request_field_unnoted},
    {"resp", response_field},
    {"reqenv", request_variable},
    {"osenv", process_variable},
    {"env", any_variable},
    {"note", note},
    {"tolower", each_letter<ascii_lower>},
    {"toupper", each_letter<ascii_upper>},
    {"escape", escape},
    {"unescape", unescape},
    {"base64", base64},
    {"unbase64", unbase64},
    {"md5", in_hex<md5>},
    {"sha1", in_hex<sha1>},
    {"file", file},
    {"filesize", file_bytes},
    {"ldap", escape_for_ldap},
    {"hc", health_check},
    {"ssl", tls_variable},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* const known = std::ranges::find_if(
      functions, [name](const Function& row) { return equals_ignoring_case(row.name, name); });
  return known == std::end(functions) ? nullptr : known;
}

std::string_view function_like(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Function& row : functions) names.push_back(row.name);
  return nearest(to_lower(name), names);
}

}  // namespace steelyard::expr
