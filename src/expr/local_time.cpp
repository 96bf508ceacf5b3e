#include "expr/local_time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace steelyard::expr {
namespace {

constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::size_t text_bytes = 28;

struct Moment {
  std::int64_t second = std::numeric_limits<std::int64_t>::min();
  std::tm calendar{};
  std::array<char, text_bytes> text{};
};

char* put_digits(char* out, long number, int digits) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) {
    out[i] = static_cast<char>('0' + number % 10);
  }
  return out + digits;
}

char* put(char* out, char c) {
  *out = c;
  return out + 1;
}

void write_text(Moment& moment) {
  const std::tm& calendar = moment.calendar;
  const long offset = calendar.tm_gmtoff;
  const long offset_minutes = (offset < 0 ? -offset : offset) / 60;
  char* out = put(moment.text.data(), '[');
  out = put(put_digits(out, calendar.tm_mday, 2), '/');
  for (int i = 0; i < 3; ++i) out = put(out, month_names[calendar.tm_mon * 3U + i]);
  out = put(put_digits(put(out, '/'), calendar.tm_year + 1900L, 4), ':');
  out = put(put_digits(out, calendar.tm_hour, 2), ':');
  out = put(put_digits(out, calendar.tm_min, 2), ':');
  out = put(put_digits(out, calendar.tm_sec, 2), ' ');
  out = put(out, offset < 0 ? '-' : '+');
  out = put_digits(out, offset_minutes / 60, 2);
  put(put_digits(out, offset_minutes % 60, 2), ']');
}

// An entry prints the begin and the end of one exchange, seldom more than a few seconds apart.
const Moment& moment_of(std::chrono::sys_seconds when) {
  static thread_local std::array<Moment, 4> recent;
  const std::int64_t second = when.time_since_epoch().count();
  Moment& moment = recent[static_cast<std::uint64_t>(second) % recent.size()];
  if (moment.second != second) {
    const std::time_t time = second;
    localtime_r(&time, &moment.calendar);
    moment.second = second;
    write_text(moment);
  }
  return moment;
}

}  // namespace

const std::tm& local_calendar(std::chrono::sys_seconds when) { return moment_of(when).calendar; }

std::string_view common_log_time(std::chrono::sys_seconds when) {
  return {moment_of(when).text.data(), text_bytes};
}

}  // namespace steelyard::expr
