#include "server/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

namespace {

constexpr mode_t only_the_owner = 0600;
constexpr int backlog = 64;
// Another instance holds the directory's lock for some system calls. Somebody who does not let go
// of it must not hold up a start.
constexpr int lock_tries = 100;
constexpr int lock_try_ms = 10;

std::string reason(int error) { return fmt::format("({}){}", error, strerror(error)); }

// A path in two parts, the first of which stays open: all that follows means one and the same
// directory.
class Place {
 public:
  // `access`: O_RDONLY to lock it; O_PATH needs no right to read.
  Place(const std::string& path, int access) {
    const std::size_t slash = path.rfind('/');
    name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    folder_ = Descriptor(::open(folder.c_str(), access | O_DIRECTORY | O_CLOEXEC));
    error_ = folder_.is_open() ? 0 : errno;
    if (name_.empty()) error_ = EINVAL;
    fill_address(path);
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  static constexpr socklen_t address_size = sizeof(sockaddr_un);

  // False: somebody else has it.
  [[nodiscard]] bool lock() const {
    for (int tries = 0; tries < lock_tries; ++tries) {
      if (::flock(folder_.number(), LOCK_EX | LOCK_NB) == 0) return true;
      if (errno != EWOULDBLOCK && errno != EINTR) return false;
      ::poll(nullptr, 0, lock_try_ms);
    }
    return false;
  }

  // 0: nothing is there, or it was a socket of nobody and is gone. Otherwise an errno: EADDRINUSE
  // somebody listens, EEXIST it is no socket.
  [[nodiscard]] int clear() const {
    struct stat found{};
    if (::fstatat(folder_.number(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
      return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(found.st_mode)) return EEXIST;
    if (!is_abandoned()) return EADDRINUSE;
    return ::unlinkat(folder_.number(), name_.c_str(), 0) == 0 ? 0 : errno;
  }

 private:
  void fill_address(const std::string& path) {
    address_.sun_family = AF_UNIX;
    std::string text = path;
    if (text.size() >= sizeof address_.sun_path)
      text = fmt::format("/proc/self/fd/{}/{}", folder_.number(), name_);
    if (text.size() >= sizeof address_.sun_path) {
      error_ = ENAMETOOLONG;
      return;
    }
    std::memcpy(address_.sun_path, text.c_str(), text.size() + 1);
  }

  // Only a refusal proves that nobody listens: a full queue says EAGAIN, a foreign one EACCES.
  [[nodiscard]] bool is_abandoned() const {
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe.is_open()) return false;
    return ::connect(probe.number(), address(), address_size) != 0 && errno == ECONNREFUSED;
  }

  std::string name_;
  Descriptor folder_;
  int error_ = 0;
  sockaddr_un address_{};
};

std::string why_not_cleared(int error) {
  if (error == EADDRINUSE) return "another instance listens there";
  if (error == EEXIST) return "what lies there is no socket, and is left alone";
  return reason(error);
}

}  // namespace

std::expected<Descriptor, std::string> open_control_socket(const std::string& path) {
  const auto fail = [&path](const std::string& why) {
    return std::unexpected(fmt::format("could not make the control socket {}: {}", path, why));
  };
  const Place place(path, O_RDONLY);
  if (place.error() != 0) return fail(reason(place.error()));
  if (!place.lock()) return fail("its directory is locked");
  if (const int error = place.clear(); error != 0) return fail(why_not_cleared(error));
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.is_open()) return fail(reason(errno));
  // Before it has a name: nobody can connect in between. Linux gives the file the socket's mode.
  if (::fchmod(made.number(), only_the_owner) != 0 ||
      ::bind(made.number(), place.address(), Place::address_size) != 0 ||
      ::listen(made.number(), backlog) != 0) {
    return fail(reason(errno));
  }
  return made;
}

void remove_control_socket(const std::string& path) {
  const Place place(path, O_RDONLY);
  if (place.error() == 0 && place.lock()) (void)place.clear();
}

std::expected<Descriptor, std::string> connect_to_control_socket(const std::string& path) {
  const Place place(path, O_PATH);
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int error = place.error() != 0 ? place.error() : (made.is_open() ? 0 : errno);
  if (error == 0 && ::connect(made.number(), place.address(), Place::address_size) != 0)
    error = errno;
  if (error == 0) return made;
  if (error == ENOENT || error == ECONNREFUSED)
    return std::unexpected(fmt::format("no server listens at {}: is it running?", path));
  return std::unexpected(fmt::format("could not connect to {}: {}", path, reason(error)));
}

std::expected<Peer, int> peer_of(int connected) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return std::unexpected(errno);
  return Peer{.user = credentials.uid, .process = credentials.pid};
}

}  // namespace steelyard::server
