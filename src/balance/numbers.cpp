#include "balance/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "balance/parameters.hpp"
#include "balance/spec.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

using std::chrono::milliseconds;

constexpr std::chrono::hours slow_start_max{24};
constexpr double load_factor_text_unit = 100.0;
constexpr int load_factor_hundredths_min = 100;
constexpr int load_factor_hundredths_max = 10000;

// httpd counts in microseconds; what overflows there is refused.
constexpr std::int64_t duration_milliseconds_max = std::numeric_limits<std::int64_t>::max() / 1000;

std::optional<milliseconds> duration_unit(std::string_view unit, milliseconds unit_when_bare) {
  if (unit.empty()) return unit_when_bare;
  if (unit.starts_with('s')) return milliseconds(1000);
  if (unit.starts_with('h')) return milliseconds(3'600'000);
  if (unit.starts_with("ms")) return milliseconds(1);
  if (unit.starts_with("mi")) return milliseconds(60'000);
  return std::nullopt;
}

std::string_view without_leading_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

int leading_integer(std::string_view text) {
  constexpr std::int64_t lowest = std::numeric_limits<int>::min();
  constexpr std::int64_t highest = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(parse_lax(text), lowest, highest));
}

std::optional<bool> parse_switch(std::string_view text) {
  if (equals_ignoring_case(text, "on")) return true;
  if (equals_ignoring_case(text, "off")) return false;
  return std::nullopt;
}

std::optional<int> parse_load_factor(std::string_view text) {
  text = without_leading_space(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double factor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
  if (error != std::errc{}) return std::nullopt;
  const double hundredths = factor * load_factor_text_unit;
  if (!(hundredths >= load_factor_hundredths_min && hundredths < load_factor_hundredths_max + 1)) {
    return std::nullopt;
  }
  return static_cast<int>(hundredths);
}

std::optional<int> parse_exact_load_factor(std::string_view text) {
  const auto hundredths = parse_hundredths(text);
  const bool is_one = hundredths && *hundredths >= load_factor_hundredths_min &&
                      *hundredths <= load_factor_hundredths_max;
  return is_one ? hundredths : std::nullopt;
}

std::string load_factor_text(int hundredths) {
  const std::string rest = std::to_string(hundredths % load_factor_unit);
  return std::to_string(hundredths / load_factor_unit) + (rest.size() == 1 ? ".0" : ".") + rest;
}

std::string load_factor_for_httpd(int hundredths) {
  std::string text = load_factor_text(hundredths);
  if (parse_load_factor(text) != hundredths) text += '1';
  return text;
}

std::optional<int> parse_strictly(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> parse_hundredths(std::string_view text) {
  constexpr std::size_t whole_digits_max = 6;
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto whole = parse_strictly(text.substr(0, point));
  if (!whole || point > whole_digits_max) return std::nullopt;
  if (point == text.size()) return *whole * 100;
  const std::string_view decimals = text.substr(point + 1);
  if (decimals.empty() || !std::ranges::all_of(decimals, is_digit)) return std::nullopt;
  const int tens = decimals[0] - '0';
  const int ones = decimals.size() > 1 ? decimals[1] - '0' : 0;
  return *whole * 100 + tens * 10 + ones;
}

std::expected<void, std::string> store_slow_start(std::optional<milliseconds>& field,
                                                  std::string_view value) {
  const auto duration = parse_duration(value, std::chrono::seconds(1));
  if (!duration || value.empty() || *duration > slow_start_max) {
    return std::unexpected("slowstart must be a time of at most 24h, as in 30, 500ms or 2min");
  }
  field = *duration;
  return {};
}

std::expected<milliseconds, std::string> parse_duration(std::string_view text,
                                                        milliseconds unit_when_bare) {
  const auto refuse = [] { return std::unexpected("has wrong format"); };
  text = without_leading_space(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "-0") text = "0";
  std::int64_t count = 0;
  const char* end = text.data();
  if (!text.empty() && is_digit(text.front())) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), count);
    if (result.ec != std::errc{}) return refuse();
    end = result.ptr;
  }
  const auto unit =
      duration_unit(text.substr(static_cast<std::size_t>(end - text.data())), unit_when_bare);
  if (!unit || count > duration_milliseconds_max / unit->count()) return refuse();
  return milliseconds(count * unit->count());
}

}  // namespace steelyard::balance
