#include "server/system_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "base/arena.hpp"
#include "server/descriptor.hpp"

namespace steelyard::server {
namespace {

using expr::FileTrait;

// A path as the kernel wants it; empty when it is too long or has a null byte.
class TerminatedPath {
 public:
  explicit TerminatedPath(std::string_view path) {
    if (path.size() >= text_.size() || path.contains('\0')) return;
    std::ranges::copy(path, text_.begin());
  }
  const char* c_str() const { return text_.data(); }

 private:
  std::array<char, PATH_MAX> text_{};
};

bool is_regular(const struct stat& about) { return S_ISREG(about.st_mode); }

// Reads until the room is full or the file is over; nothing on an error.
std::optional<std::size_t> read_into(int descriptor, char* room, std::size_t bytes) {
  std::size_t used = 0;
  while (used < bytes) {
    const ssize_t got = ::read(descriptor, room + used, bytes - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return used;
}

}  // namespace

bool SystemFiles::has_trait(std::string_view path, FileTrait trait) const {
  const TerminatedPath name(path);
  struct stat about;
  if (trait == FileTrait::link) {
    return ::lstat(name.c_str(), &about) == 0 && S_ISLNK(about.st_mode);
  }
  if (::stat(name.c_str(), &about) != 0) return false;
  switch (trait) {
    case FileTrait::directory:
      return S_ISDIR(about.st_mode);
    case FileTrait::regular:
      return is_regular(about);
    case FileTrait::with_bytes:
      return is_regular(about) && about.st_size > 0;
    case FileTrait::executable:
      return (about.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    default:
      return true;
  }
}

std::optional<std::uint64_t> SystemFiles::bytes_of(std::string_view path) const {
  struct stat about;
  if (::stat(TerminatedPath(path).c_str(), &about) != 0 || !is_regular(about)) return std::nullopt;
  return static_cast<std::uint64_t>(about.st_size);
}

std::optional<std::uint64_t> SystemFiles::stamp_of(std::string_view path) const {
  struct stat about;
  if (::stat(TerminatedPath(path).c_str(), &about) != 0 || !is_regular(about)) return std::nullopt;
  std::uint64_t stamp = about.st_ino;
  for (const auto part : {about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_size}) {
    stamp = stamp * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(part);
  }
  return stamp;
}

// A pipe is not waited for: only regular files are read.
std::expected<std::string_view, std::string_view> SystemFiles::read(std::string_view path,
                                                                    Arena& arena) const {
  const Descriptor file(
      ::open(TerminatedPath(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about;
  if (!file.is_open() || ::fstat(file.number(), &about) != 0)
    return std::unexpected("Cannot open file ");
  if (!is_regular(about)) return std::unexpected("Cannot read from file ");
  const auto bytes = static_cast<std::uint64_t>(about.st_size);
  if (bytes > file_bytes_max) return std::unexpected("Too large to be read: file ");
  char* const room = arena.take(static_cast<std::size_t>(bytes));
  const auto used = read_into(file.number(), room, static_cast<std::size_t>(bytes));
  if (!used) return std::unexpected("Cannot read from file ");
  const std::string_view text(room, *used);
  return text.substr(0, text.find('\0'));  // httpd: a text ends at its first null byte
}

}  // namespace steelyard::server
