#include "server/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.hpp"
#include "server/descriptor.hpp"

namespace steelyard::server {

namespace {

bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

// 0, or an errno. A link under either name is not followed.
int replace(int directory, const std::string& name, pid_t pid) {
  const std::string fresh = fmt::format("{}.{}", name, pid);
  ::unlinkat(directory, fresh.c_str(), 0);
  const Descriptor file(::openat(directory, fresh.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  const std::string text = fmt::format("{}\n", pid);
  const bool written =
      file.is_open() &&
      ::write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::renameat(directory, fresh.c_str(), directory, name.c_str()) == 0;
  if (written) return 0;
  const int error = errno;
  ::unlinkat(directory, fresh.c_str(), 0);
  return error;
}

}  // namespace

std::expected<std::optional<PidRecord>, std::string> read_pid_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return std::unexpected(fmt::format("could not read pid file {}: {}", path, strerror(errno)));
  }
  char text[32];
  const ssize_t got = ::read(file.number(), text, sizeof text);
  const auto digits = trim(std::string_view(text, got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got >= 0 && digits.empty()) return std::nullopt;
  const auto number = parse_unsigned(digits);
  if (!number || *number == 0 || *number > 0x7fffffff) {
    return std::unexpected(fmt::format("pid file {} holds no process number", path));
  }
  PidRecord record{.pid = static_cast<pid_t>(*number)};
  // In a container every start may get the number that the file still names.
  record.running = record.pid != ::getpid() && exists(record.pid);
  return record;
}

std::expected<void, std::string> write_pid_file(const std::string& path, pid_t pid) {
  if (const int error = replace(AT_FDCWD, path, pid); error != 0) {
    return std::unexpected(fmt::format("could not create pid file {}: {}", path, strerror(error)));
  }
  return {};
}

std::expected<void, int> write_trusted_pid_file(const std::string& path, pid_t pid,
                                                const Suspect& suspect) {
  const auto place = find_trusted_place(path, suspect);
  const int error = place ? replace(place->directory.number(), place->name, pid) : place.error();
  if (error != 0) return std::unexpected(error);
  return {};
}

void remove_pid_file(const std::string& path, pid_t pid) {
  const auto record = read_pid_file(path);
  if (!record || !*record || (*record)->pid != pid) return;
  ::unlink(path.c_str());
}

}  // namespace steelyard::server
