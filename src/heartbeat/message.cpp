#include "heartbeat/message.hpp"

#include <limits>

#include "base/text.hpp"

namespace steelyard::heartbeat {

namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What is no escape stays as it is.
std::string decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool may_be_escape = text[at] == '%' && at + 2 < text.size();
    const int high = may_be_escape ? hex_value(text[at + 1]) : -1;
    const int low = may_be_escape ? hex_value(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      plain += text[at];
      continue;
    }
    plain += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return plain;
}

std::string doubt(std::string_view name, std::string_view value, std::string_view instead) {
  std::string text("Invalid ");
  text.append(name).append(" value: ").append(value).append(", using ").append(instead);
  return text;
}

}  // namespace

Pairs::Pairs(std::string_view text) {
  for (const std::string_view pair : split(text, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos) {
      if (!pair.empty()) entries_.emplace_back(decoded(pair), "1");
      continue;
    }
    entries_.emplace_back(decoded(pair.substr(0, equals)), decoded(pair.substr(equals + 1)));
  }
}

std::optional<std::string_view> Pairs::value(std::string_view name) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (equals_ignoring_case(entry->first, name)) return entry->second;
  }
  return std::nullopt;
}

std::optional<int> parse_count(std::string_view text) {
  if (text.empty()) return 0;
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::optional<std::uint64_t> number = parse_unsigned(text);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    return std::nullopt;
  }
  if (negative && *number != 0) return std::nullopt;
  return static_cast<int>(*number);
}

std::expected<Heard, std::string_view> read_message(std::string_view text, Origin origin) {
  const Pairs pairs(text.substr(0, message_bytes_max));
  if (origin == Origin::datagram && !pairs.value("v")) return std::unexpected("v");
  const auto busy = pairs.value("busy");
  if (!busy) return std::unexpected("busy");
  const auto ready = pairs.value("ready");
  if (!ready) return std::unexpected("ready");
  Heard heard;
  if (const auto count = parse_count(*busy)) {
    heard.message.busy = *count;
  } else {
    heard.doubts.push_back(doubt("busy", *busy, "0"));
  }
  if (const auto count = parse_count(*ready)) {
    heard.message.ready = *count;
  } else {
    heard.doubts.push_back(doubt("ready", *ready, "0"));
  }
  if (const auto port = pairs.value("port")) {
    const auto number = parse_count(*port);
    if (number && *number >= 1 && *number <= 65535) {
      heard.message.port = static_cast<std::uint16_t>(*number);
    } else {
      heard.doubts.push_back(doubt("port", *port, "default 80"));
    }
  }
  return heard;
}

std::string write_message(int ready, int busy) {
  return "v=1&ready=" + std::to_string(ready) + "&busy=" + std::to_string(busy);
}

}  // namespace steelyard::heartbeat
