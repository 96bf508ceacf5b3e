#include "ftp/answers.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace steelyard::ftp {

namespace {

// Digits at the front, at most so many; they are taken away.
std::optional<std::uint32_t> take_number(std::string_view& text, std::size_t digits_max) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > digits_max) return std::nullopt;
  const auto number = parse_unsigned(text.substr(0, digits));
  text.remove_prefix(digits);
  return static_cast<std::uint32_t>(*number);
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::uint16_t> read_extended_passive(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == text.npos || text.size() - open < 4) return std::nullopt;
  text.remove_prefix(open + 1);
  const char bar = text.front();
  if (bar <= ' ' || bar >= 0x7f || is_digit(bar)) return std::nullopt;
  for (int i = 0; i < 3; ++i)
    if (!take(text, bar)) return std::nullopt;
  const auto port = take_number(text, 5);
  if (!port || *port == 0 || *port > UINT16_MAX) return std::nullopt;
  if (!take(text, bar) || !take(text, ')')) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<Endpoint> read_passive(std::string_view text) {
  const std::size_t begin = text.find_first_of("0123456789", std::min(text.find('('), text.size()));
  const std::size_t bare = text.find_first_of("0123456789");
  if (bare == text.npos) return std::nullopt;
  text.remove_prefix(begin == text.npos ? bare : begin);
  std::array<std::uint32_t, 6> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i != 0 && !take(text, ',')) return std::nullopt;
    const auto number = take_number(text, 3);
    if (!number || *number > 255) return std::nullopt;
    numbers[i] = *number;
  }
  const std::uint32_t port = numbers[4] << 8 | numbers[5];
  if (port == 0) return std::nullopt;
  return Endpoint{IpAddress::v4(numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]),
                  static_cast<std::uint16_t>(port)};
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const auto size = parse_unsigned(text.substr(0, digits));
  // Leaves room for sums.
  return size && *size <= INT64_MAX ? size : std::nullopt;
}

std::optional<std::chrono::sys_seconds> read_time(std::string_view text) {
  constexpr std::size_t digits = 14;
  if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit))
    return std::nullopt;
  if (text.size() > digits && is_digit(text[digits])) return std::nullopt;
  const auto number = [&](std::size_t begin, std::size_t size) {
    return static_cast<unsigned>(*parse_unsigned(text.substr(begin, size)));
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(4, 2)),
                                        std::chrono::day(number(6, 2))};
  const unsigned hour = number(8, 2), minute = number(10, 2), second = number(12, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(day) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::string read_directory(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty()) return {};
  const char quote = text.front();
  if (quote != '"' && quote != '\'') return std::string(text.substr(0, text.find(' ')));
  std::string directory;
  for (std::size_t i = 1; i < text.size() && text[i] != quote; ++i) {
    const bool is_kept =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '\\' || text[i + 1] == quote);
    directory += is_kept ? text[++i] : text[i];
  }
  return directory;
}

}  // namespace steelyard::ftp
