#include "server/log_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

std::expected<std::unique_ptr<LogOutput>, std::string> FileLog::open(
    const config::LogTarget& target, LogOpener& opener) {
  auto file = opener.open_file(target.text);
  if (!file) {
    return std::unexpected(fmt::format("({}){}: could not open log file {}", file.error(),
                                       strerror(file.error()), target.text));
  }
  return std::unique_ptr<LogOutput>(new FileLog(target, std::move(*file)));
}

std::optional<FileIdentity> FileLog::file() const {
  struct stat found{};
  if (::fstat(file_.number(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

LogOutput::Written FileLog::write(std::string_view bytes) {
  const ssize_t count = ::write(file_.number(), bytes.data(), bytes.size());
  if (count >= 0) return {.bytes = static_cast<std::size_t>(count)};
  if (errno == EINTR) return {};
  return {.outcome = Outcome::failed, .error = errno};
}

}  // namespace steelyard::server
