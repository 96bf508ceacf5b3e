#include "server/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

namespace {

constexpr mode_t only_the_owner = 0600;
constexpr int backlog = 64;
// Another instance holds the lock for some system calls. Somebody who does not let go of it must
// not hold up a start.
constexpr int lock_tries = 100;
constexpr int lock_try_ms = 10;
// Of a server that hangs, with as many waiting as its queue takes.
constexpr timeval connect_time_max{.tv_sec = 30, .tv_usec = 0};

std::string reason(int error) { return fmt::format("({}){}", error, strerror(error)); }

// A path in two parts, the first of which stays open: all that follows means one and the same
// directory.
class Place {
 public:
  explicit Place(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    folder_ = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    error_ = folder_.is_open() ? 0 : errno;
    if (name_.empty()) error_ = EINVAL;
    fill_address(path);
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  static constexpr socklen_t address_size = sizeof(sockaddr_un);

  // Until this is gone. 0, or an errno; EWOULDBLOCK: another process has it.
  [[nodiscard]] int lock() {
    lock_ = Descriptor(::openat(folder_.number(), (name_ + ".lock").c_str(),
                                O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                                only_the_owner));
    if (!lock_.is_open()) return errno;
    for (int tries = 0; tries < lock_tries; ++tries) {
      if (::flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return 0;
      if (errno != EWOULDBLOCK && errno != EINTR) return errno;
      ::poll(nullptr, 0, lock_try_ms);
    }
    return EWOULDBLOCK;
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
    const std::string folder = fmt::format("/proc/self/fd/{}", folder_.number());
    std::string text = folder + '/' + name_;
    const bool fits = text.size() < sizeof address_.sun_path;
    if (!fits || ::access(folder.c_str(), F_OK) != 0) text = path;
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
  Descriptor folder_, lock_;
  int error_ = 0;
  sockaddr_un address_{};
};

std::string why_not_locked(int error) {
  if (error == EWOULDBLOCK) return "another process holds its lock";
  return "its lock file cannot be opened: " + reason(error);
}

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
  Place place(path);
  if (place.error() != 0) return fail(reason(place.error()));
  if (const int error = place.lock(); error != 0) return fail(why_not_locked(error));
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
  Place place(path);
  if (place.error() == 0 && place.lock() == 0) (void)place.clear();
}

std::expected<Descriptor, std::string> connect_to_control_socket(const std::string& path) {
  const Place place(path);
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int error = place.error() != 0 ? place.error() : (made.is_open() ? 0 : errno);
  if (error == 0) {
    (void)::setsockopt(made.number(), SOL_SOCKET, SO_SNDTIMEO, &connect_time_max,
                       sizeof connect_time_max);
  }
  if (error == 0 && ::connect(made.number(), place.address(), Place::address_size) != 0)
    error = errno;
  if (error == 0) return made;
  if (error == ENOENT || error == ECONNREFUSED)
    return std::unexpected(fmt::format("no server listens at {}: is it running?", path));
  if (error == EAGAIN) return std::unexpected("the server does not answer");
  if (error == EACCES || error == EPERM) {
    return std::unexpected(fmt::format(
        "could not connect to {}: only root, or the user who started the server, may", path));
  }
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
