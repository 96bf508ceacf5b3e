#include "trace/context.hpp"

#include <algorithm>
#include <span>

#include "base/text.hpp"

namespace steelyard::trace {

namespace {

constexpr std::size_t version_00_bytes = 55;
constexpr std::size_t members_max = 32;
constexpr std::size_t key_bytes_max = 256, value_bytes_max = 256;

// Lower-case only, as the recommendation wants it.
std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c) && (c < 'a' || c > 'f')) return std::nullopt;
    number = number << 4U | static_cast<std::uint64_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  return number;
}

void write_hex(std::uint64_t number, std::span<char> out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = out.size(); i > 0; number >>= 4U) out[--i] = digits[number & 15U];
}

bool has_dashes(std::string_view value) {
  return value[2] == '-' && value[35] == '-' && value[52] == '-';
}

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool may_stand_in_key(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '*' || c == '/' ||
         c == '@';
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= key_bytes_max &&
         (is_digit(key.front()) || (key.front() >= 'a' && key.front() <= 'z')) &&
         std::ranges::all_of(key, may_stand_in_key);
}

// Blanks at the end were taken for those around the member.
bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= value_bytes_max &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

}  // namespace

std::optional<Context> read_traceparent(std::string_view value) {
  if (value.size() < version_00_bytes || !has_dashes(value)) return std::nullopt;
  const auto version = read_hex(value.substr(0, 2));
  if (!version || *version == 0xff) return std::nullopt;
  if (value.size() > version_00_bytes && (*version == 0 || value[version_00_bytes] != '-'))
    return std::nullopt;
  const auto high = read_hex(value.substr(3, 16));
  const auto low = read_hex(value.substr(19, 16));
  const auto parent = read_hex(value.substr(36, 16));
  const auto flags = read_hex(value.substr(53, 2));
  if (!high || !low || !parent || !flags) return std::nullopt;
  const Context context{{*high, *low}, *parent, (*flags & 1U) != 0};
  if (context.trace.is_zero() || context.parent == 0) return std::nullopt;
  return context;
}

bool is_tracestate(std::string_view value) {
  std::array<std::string_view, members_max> keys;
  std::size_t count = 0;
  while (true) {
    const std::size_t end = std::min(value.find(','), value.size());
    const std::string_view member = trim_blanks(value.substr(0, end));
    // Empty members are allowed, and count.
    if (count == members_max) return false;
    if (!member.empty()) {
      const std::size_t equals = std::min(member.find('='), member.size() - 1);
      const std::string_view key = member.substr(0, equals);
      if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
      const auto known = std::span(keys).first(count);
      if (std::ranges::find(known, key) != known.end()) return false;
      keys[count] = key;
    }
    ++count;
    if (end == value.size()) return true;
    value.remove_prefix(end + 1);
  }
}

TraceIdText text_of(const TraceId& id) {
  TraceIdText text;
  write_hex(id.high, std::span(text).first(16));
  write_hex(id.low, std::span(text).last(16));
  return text;
}

SpanIdText text_of(SpanId id) {
  SpanIdText text;
  write_hex(id, text);
  return text;
}

TraceparentText write_traceparent(const Context& context) {
  TraceparentText text;
  const std::span<char> out(text);
  std::ranges::copy(std::string_view("00-"), out.begin());
  write_hex(context.trace.high, out.subspan(3, 16));
  write_hex(context.trace.low, out.subspan(19, 16));
  out[35] = '-';
  write_hex(context.parent, out.subspan(36, 16));
  out[52] = '-';
  write_hex(context.sampled ? 1 : 0, out.subspan(53, 2));
  return text;
}

}  // namespace steelyard::trace
