#include "server/heartbeat_storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "server/descriptor.hpp"

namespace steelyard::server {

namespace {

constexpr mode_t readable_by_all = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;

std::string why(int error) { return fmt::format("({}){}", error, std::strerror(error)); }

std::string version_of(const struct stat& found) {
  return fmt::format("{} {} {} {}.{}", found.st_dev, found.st_ino, found.st_size,
                     found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::expected<std::string, int> read_file(int fd) {
  std::string text;
  char bytes[16384];
  while (text.size() < heartbeat::storage_bytes_max) {
    const auto got = ::read(fd, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    if (got == 0) break;
    text.append(bytes, static_cast<std::size_t>(got));
  }
  return text;
}

// Without waiting for a writer, should it be a pipe.
int open_to_read(const std::string& path, int more_flags = 0) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | more_flags);
}

}  // namespace

std::optional<heartbeat::Servers> HeartbeatStorage::read_if_changed() {
  const Descriptor file(open_to_read(path_));
  struct stat found{};
  int error = 0;
  if (!file.is_open() || ::fstat(file.number(), &found) != 0) {
    error = errno;
  } else if (!S_ISREG(found.st_mode)) {
    error = EINVAL;
  }
  std::string version = error == 0 ? version_of(found) : "error " + std::to_string(error);
  if (version == version_) return std::nullopt;
  version_ = std::move(version);
  if (error == 0) {
    const auto text = read_file(file.number());
    if (text) return heartbeat::read_storage(*text);
    error = text.error();
  }
  return heartbeat::Servers::unreadable(
      fmt::format("{}: lb_heartbeat: Unable to read heartbeats at '{}'", why(error), path_));
}

std::expected<void, std::string> HeartbeatStorage::write(std::span<const heartbeat::Server> servers,
                                                         Instant now) {
  return replace(heartbeat::write_storage(servers, now));
}

std::expected<void, std::string> HeartbeatStorage::add(std::span<const heartbeat::Server> servers,
                                                       Instant now) {
  std::string text;
  // What is read here is written where all can read it: never what a link leads to.
  struct stat found{};
  if (const Descriptor file(open_to_read(path_, O_NOFOLLOW));
      file.is_open() && ::fstat(file.number(), &found) == 0 && S_ISREG(found.st_mode)) {
    if (auto read = read_file(file.number())) text = std::move(*read);
  }
  for (const heartbeat::Server& server : servers) text = with_server(text, server, now);
  return replace(text);
}

std::expected<void, std::string> HeartbeatStorage::replace(const std::string& text) {
  std::string temporary = path_ + ".tmp.XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  const auto fail = [&](const char* step) {
    std::string reason = fmt::format("{}: Unable to {} '{}'", why(errno), step, temporary);
    if (file.is_open()) ::unlink(temporary.c_str());
    return std::unexpected(std::move(reason));
  };
  if (!file.is_open()) return fail("open tmp file");
  if (!write_all(file.number(), text)) return fail("write to tmp file");
  if (::fchmod(file.number(), readable_by_all) != 0) return fail("set file permissions on");
  if (::rename(temporary.c_str(), path_.c_str()) != 0) return fail("move tmp file");
  return {};
}

}  // namespace steelyard::server
