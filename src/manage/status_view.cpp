#include "manage/status_view.hpp"

#include <array>

#include "expr/local_time.hpp"

namespace steelyard::manage {

namespace {

constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string repeated(char c, std::uint64_t times) {
  return std::string(static_cast<std::size_t>(times), c);
}

void append_unit(std::string& out, std::int64_t count, std::string_view unit) {
  if (count != 0) out += fmt::format(" {} {}{}", count, unit, count == 1 ? "" : "s");
}

}  // namespace

double StatusView::processor_seconds() const {
  return usage.user_seconds + usage.system_seconds + usage.children_user_seconds +
         usage.children_system_seconds;
}

std::string scoreboard(const StatusView& view) {
  const std::uint64_t busy = std::min(view.busy, scoreboard_slots_max);
  const std::uint64_t kept = std::min(view.kept(), scoreboard_slots_max - busy);
  const std::uint64_t idle = std::min(view.idle(), scoreboard_slots_max - busy - kept);
  return repeated('W', busy) + repeated('K', kept) + repeated('_', idle);
}

std::string short_number(double number) {
  std::string text = fmt::format("{:g}", number);
  if (text.starts_with("0.")) text.erase(0, 1);
  return text;
}

std::string uptime_text(std::chrono::seconds uptime) {
  const std::int64_t seconds = uptime.count();
  std::string out;
  append_unit(out, seconds / 86'400, "day");
  append_unit(out, seconds / 3600 % 24, "hour");
  append_unit(out, seconds / 60 % 60, "minute");
  append_unit(out, seconds % 60, "second");
  return out;
}

std::string page_time(WallTime when) {
  const std::tm& local = expr::local_calendar(std::chrono::floor<std::chrono::seconds>(when));
  return fmt::format("{}, {:02}-{}-{} {:02}:{:02}:{:02} {}",
                     days[static_cast<std::size_t>(local.tm_wday)], local.tm_mday,
                     months[static_cast<std::size_t>(local.tm_mon)], local.tm_year + 1900,
                     local.tm_hour, local.tm_min, local.tm_sec, local.tm_zone);
}

}  // namespace steelyard::manage
