#include "server/log_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

std::expected<std::unique_ptr<LogOutput>, std::string> FileLog::open(
    const config::LogTarget& target) {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
  Descriptor file(::open(target.text.c_str(), flags, 0644));
  // Containers link logs to their standard output, which may be a socket that cannot be opened.
  if (!file.is_open() && errno == ENXIO) {
    if (target.text == "/dev/stdout") file = Descriptor(::fcntl(1, F_DUPFD_CLOEXEC, 0));
    if (target.text == "/dev/stderr") file = Descriptor(::fcntl(2, F_DUPFD_CLOEXEC, 0));
  }
  if (!file.is_open()) {
    return std::unexpected(
        fmt::format("({}){}: could not open log file {}", errno, strerror(errno), target.text));
  }
  return std::unique_ptr<LogOutput>(new FileLog(target, std::move(file)));
}

LogOutput::Written FileLog::write(std::string_view bytes) {
  const ssize_t count = ::write(file_.number(), bytes.data(), bytes.size());
  if (count >= 0) return {.bytes = static_cast<std::size_t>(count)};
  if (errno == EINTR) return {};
  return {.outcome = Outcome::failed, .error = errno};
}

}  // namespace steelyard::server
