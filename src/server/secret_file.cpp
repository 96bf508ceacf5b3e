#include "server/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace steelyard::server {

namespace {

using Result = std::expected<void, std::string>;

std::unexpected<std::string> fail(const std::string& path, const std::string& why) {
  return std::unexpected(path + ": " + why);
}

Result check(const std::string& path, const struct stat& found, Secrecy secrecy) {
  if (!S_ISREG(found.st_mode)) return fail(path, "is no regular file");
  if (found.st_uid != 0 && found.st_uid != ::geteuid())
    return fail(path, "belongs to somebody else than root or the server's user");
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(path, "can be written to by others: chmod go-w");
  if (secrecy == Secrecy::secret && (found.st_mode & S_IRWXO) != 0)
    return fail(path, "can be read by everybody: chmod o-rwx");
  if (found.st_size > static_cast<off_t>(secret_file_bytes_max))
    return fail(path, "is longer than " + std::to_string(secret_file_bytes_max) + " bytes");
  return {};
}

std::expected<Descriptor, int> open(const std::string& path,
                                    const std::optional<Suspect>& suspect) {
  if (suspect) return open_trusted(path, TrustedFile::secret, *suspect);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open()) return std::unexpected(errno);
  return file;
}

}  // namespace

Result check_secret_file(const std::string& path, Secrecy secrecy) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return fail(path, std::strerror(errno));
  return check(path, found, secrecy);
}

std::expected<std::string, std::string> read_secret_file(const std::string& path, Secrecy secrecy,
                                                         const std::optional<Suspect>& suspect) {
  const auto file = open(path, suspect);
  if (!file && file.error() == EACCES && suspect)
    return fail(path, "User could put another file in its place, or it cannot be read");
  if (!file) return fail(path, std::strerror(file.error()));
  struct stat found{};
  if (::fstat(file->number(), &found) != 0) return fail(path, std::strerror(errno));
  if (auto good = check(path, found, secrecy); !good) return std::unexpected(good.error());
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() <= secret_file_bytes_max) {
    const ssize_t read = ::read(file->number(), piece.data(), piece.size());
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return fail(path, std::strerror(errno));
    if (read == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(read));
  }
  return fail(path, "is too long");
}

}  // namespace steelyard::server
