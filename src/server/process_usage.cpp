#include "server/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace steelyard::server {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string read_whole(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of /proc/self/stat, whose second field is a name in parentheses that may hold blanks: the one at
// `number`, counted from 1 as proc(5) does.
std::uint64_t stat_field(const std::string& stat, int number) {
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string skipped;
  for (int at = 3; at < number; ++at) fields >> skipped;
  std::uint64_t value = 0;
  fields >> value;
  return value;
}

// The system counts from its own start.
WallTime start_of(const std::string& stat) {
  constexpr int start_time = 22;
  const auto ticks = static_cast<double>(stat_field(stat, start_time));
  double running = 0;
  std::istringstream(read_whole("/proc/uptime")) >> running;
  const double age = running - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return std::chrono::system_clock::now() -
         std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(age));
}

std::uint64_t count_descriptors() {
  std::error_code failed;
  std::uint64_t count = 0;
  for (auto each = std::filesystem::directory_iterator("/proc/self/fd", failed);
       !failed && each != std::filesystem::directory_iterator(); each.increment(failed))
    ++count;
  return count == 0 ? 0 : count - 1;  // but for the one that reads them
}

}  // namespace

manage::ProcessUsage measure_process() {
  constexpr int resident_pages = 24;
  constexpr int virtual_bytes = 23;
  manage::ProcessUsage usage;
  usage.process_id = ::getpid();
  rusage own{};
  rusage children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  usage.user_seconds = seconds_of(own.ru_utime);
  usage.system_seconds = seconds_of(own.ru_stime);
  usage.children_user_seconds = seconds_of(children.ru_utime);
  usage.children_system_seconds = seconds_of(children.ru_stime);
  const std::string stat = read_whole("/proc/self/stat");
  static const WallTime started = start_of(stat);
  usage.started = started;
  usage.virtual_bytes = stat_field(stat, virtual_bytes);
  usage.resident_bytes =
      stat_field(stat, resident_pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  usage.open_descriptors = count_descriptors();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  usage.descriptors_max = limit.rlim_cur;
  ::getloadavg(usage.load_averages.data(), static_cast<int>(usage.load_averages.size()));
  return usage;
}

}  // namespace steelyard::server
