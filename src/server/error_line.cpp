#include "server/error_line.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <iterator>

namespace steelyard::server {

namespace {

// "Fri Nov 20 15:57:28" changes once a second; the C library's conversion takes a lock.
struct Second {
  time_t value = -1;
  char date[32] = "";
  int year = 0;
};

const Second& second_of(time_t seconds) {
  thread_local Second cached;
  if (cached.value != seconds) {
    tm local{};
    ::localtime_r(&seconds, &local);
    ::strftime(cached.date, sizeof cached.date, "%a %b %d %H:%M:%S", &local);
    cached.year = local.tm_year + 1900;
    cached.value = seconds;
  }
  return cached;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
}

}  // namespace

void append_error_line(std::string& out, int tid, const proxy::ErrorLine& line) {
  using std::chrono::floor;
  const auto whole = floor<std::chrono::seconds>(line.when);
  const auto micros = floor<std::chrono::microseconds>(line.when - whole).count();
  const Second& second = second_of(std::chrono::system_clock::to_time_t(whole));
  auto end = std::back_inserter(out);
  fmt::format_to(end, "[{}.{:06} {}] [{}:{}] [pid {}:tid {}] ", second.date, micros, second.year,
                 line.module, config::level_name(line.level), ::getpid(), tid);
  if (line.client != nullptr) fmt::format_to(end, "[client {}] ", line.client->text());
  append_escaped(out, line.text);
  if (!line.referer.empty()) {
    out += ", referer: ";
    append_escaped(out, line.referer);
  }
  out += '\n';
}

}  // namespace steelyard::server
