#include "http/date.hpp"

#include <algorithm>
#include <cstring>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_seconds;
using std::chrono::year;

constexpr std::array<std::string_view, 7> day_names = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

char* write_digits(char* at, unsigned value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + digits;
}

char* write_text(char* at, std::string_view text) noexcept {
  return std::ranges::copy(text, at).out;
}

// "0" a digit, "_" a digit or a blank, "A" a letter; anything else stands for itself.
bool has_shape(std::string_view text, std::string_view shape) noexcept {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const char c = text[i];
    switch (shape[i]) {
      case '0':
        if (!is_digit(c)) return false;
        break;
      case '_':
        if (!is_digit(c) && c != ' ') return false;
        break;
      case 'A':
        if (!is_alpha(c)) return false;
        break;
      default:
        if (c != shape[i]) return false;
    }
  }
  return true;
}

// Digits of a shape that matched; a blank counts as 0.
unsigned number_at(std::string_view text, std::size_t at, std::size_t digits) noexcept {
  unsigned value = 0;
  for (const char c : text.substr(at, digits)) {
    value = value * 10 + (c == ' ' ? 0 : static_cast<unsigned>(c - '0'));
  }
  return value;
}

// Where the month and the time of a date stand.
struct Places {
  std::size_t month;
  std::size_t time;
};

std::optional<sys_seconds> assemble(std::string_view text, Places places, unsigned day_number,
                                    unsigned year_number) noexcept {
  const auto* name = std::ranges::find(month_names, text.substr(places.month, 3));
  if (name == month_names.end()) return std::nullopt;
  const std::chrono::year_month_day date{
      year(static_cast<int>(year_number)),
      month(static_cast<unsigned>(name - month_names.begin()) + 1), day(day_number)};
  const unsigned hours = number_at(text, places.time, 2);
  const unsigned minutes = number_at(text, places.time + 3, 2);
  const unsigned seconds = number_at(text, places.time + 6, 2);
  // 60 and 61 are leap seconds to httpd; they count into the next minute.
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 61) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds);
}

}  // namespace

void write_date(sys_seconds when, std::span<char, date_bytes> out) noexcept {
  const auto days = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(when - days);
  char* at = write_text(out.data(), day_names[std::chrono::weekday(days).c_encoding()]);
  at = write_text(at, ", ");
  at = write_digits(at, static_cast<unsigned>(date.day()), 2);
  *at++ = ' ';
  at = write_text(at, month_names[static_cast<unsigned>(date.month()) - 1]);
  *at++ = ' ';
  at = write_digits(at, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  *at++ = ' ';
  at = write_digits(at, static_cast<unsigned>(time.hours().count()), 2);
  *at++ = ':';
  at = write_digits(at, static_cast<unsigned>(time.minutes().count()), 2);
  *at++ = ':';
  at = write_digits(at, static_cast<unsigned>(time.seconds().count()), 2);
  write_text(at, " GMT");
}

// Neither the day's name nor the zone is looked at, as in httpd: all HTTP dates are GMT.
std::optional<sys_seconds> parse_date(std::string_view text) noexcept {
  text = trim_blanks(text);
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {
    if (!has_shape(text, "AAA AAA _0 00:00:00 0000")) return std::nullopt;
    return assemble(text, {.month = 4, .time = 11}, number_at(text, 8, 2), number_at(text, 20, 4));
  }
  if (comma + 2 > text.size()) return std::nullopt;
  const std::string_view rest = text.substr(comma + 2);
  if (has_shape(rest, "00 AAA 0000 00:00:00 ")) {
    return assemble(rest, {.month = 3, .time = 12}, number_at(rest, 0, 2), number_at(rest, 7, 4));
  }
  if (has_shape(rest, "0 AAA 0000 00:00:00 ")) {
    return assemble(rest, {.month = 2, .time = 11}, number_at(rest, 0, 1), number_at(rest, 6, 4));
  }
  if (has_shape(rest, "00-AAA-00 00:00:00 ")) {
    const unsigned short_year = number_at(rest, 7, 2);
    return assemble(rest, {.month = 3, .time = 10}, number_at(rest, 0, 2),
                    short_year + (short_year < 70 ? 2000 : 1900));
  }
  return std::nullopt;
}

std::string_view normalise_date(std::string_view text, Arena& arena) {
  const auto when = parse_date(text);
  if (!when) return text;
  std::array<char, date_bytes> usual;
  write_date(*when, usual);
  const std::string_view written(usual.data(), usual.size());
  return written == text ? text : arena.copy(written);
}

std::string_view DateText::at(sys_seconds now) noexcept {
  if (now != written_) {
    write_date(now, text_);
    written_ = now;
  }
  return {text_.data(), text_.size()};
}

}  // namespace steelyard::http
