#include "server/log_opener.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace steelyard::server {

std::expected<Descriptor, int> OwnRights::open_file(const std::string& path) {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
  Descriptor file(::open(path.c_str(), flags, 0644));
  // Containers link logs to their standard output, which may be a socket that cannot be opened.
  if (!file.is_open() && errno == ENXIO) {
    if (path == "/dev/stdout") file = Descriptor(::fcntl(1, F_DUPFD_CLOEXEC, 0));
    if (path == "/dev/stderr") file = Descriptor(::fcntl(2, F_DUPFD_CLOEXEC, 0));
  }
  if (!file.is_open()) return std::unexpected(errno);
  return file;
}

OwnRights& OwnRights::instance() {
  static OwnRights only;
  return only;
}

}  // namespace steelyard::server
