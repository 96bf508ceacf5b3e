#include "io/linux/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "io/linux/exhaustion.hpp"
#include "io/linux/socket_address.hpp"
#include "io/linux/socket_stream.hpp"

namespace steelyard::io {

namespace {

// Accepting stops after this many connections so that those already served get their turn;
// the rest is accepted in the next one.
constexpr int accepts_a_turn = 64;

ListenFailure failure(int error, const char* step, const std::string& address) {
  return {error, "(" + std::to_string(error) + ")" + std::strerror(error) + ": could not " + step +
                     " address " + address};
}

void set_flag(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

std::expected<int, ListenFailure> open_listening_socket(const std::optional<IpAddress>& ip,
                                                        std::uint16_t port, std::uint32_t backlog) {
  const Endpoint endpoint{ip ? *ip : IpAddress::v6({}), port};
  const std::string text = ip ? endpoint.text() : "[::]:" + std::to_string(port);
  const int family = endpoint.ip.is_v6() ? AF_INET6 : AF_INET;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    // A kernel without IPv6 still serves every IPv4 address.
    if (!ip && errno == EAFNOSUPPORT) return open_listening_socket(IpAddress::v4(0), port, backlog);
    return std::unexpected(failure(errno, "make a socket for", text));
  }
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (family == AF_INET6) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, ip ? 1 : 0);
  const SocketAddress address = to_socket_address(endpoint);
  if (::bind(fd, address.pointer(), address.size) != 0) {
    const ListenFailure failed = failure(errno, "bind to", text);
    ::close(fd);
    return std::unexpected(failed);
  }
  if (::listen(fd, static_cast<int>(backlog)) != 0) {
    const ListenFailure failed = failure(errno, "listen on", text);
    ::close(fd);
    return std::unexpected(failed);
  }
  return fd;
}

Listener::Listener(EpollLoop& loop, int fd, Rules rules)
    : WatchedDescriptor(loop, fd), rules_(std::move(rules)) {
  // Level-triggered: what one turn leaves in the queue is reported again.
  CHECK(loop.watch_level(*this, EPOLLIN, false));
}

void Listener::on_events(std::uint32_t /*events*/) {
  for (int i = 0; i < accepts_a_turn; ++i) {
    if (rules_.has_room && !rules_.has_room()) return rest(0);
    const Accepted accepted = accept_one();
    if (accepted == Accepted::exhausted) return rest(errno);
    if (accepted == Accepted::none) return;
  }
}

void Listener::accept_queued() {
  while (accept_one() == Accepted::one) {
  }
}

// The socket would be reported readable in every turn for as long as nothing can be accepted.
void Listener::rest(int error) {
  loop_->watch_level(*this, 0, true);
  resumption_.arm(loop_->timers(), loop_->now() + pause);
  if (rules_.on_pause) rules_.on_pause(error);
}

void Listener::resume() { loop_->watch_level(*this, EPOLLIN, true); }

Listener::Accepted Listener::accept_one() {
  SocketAddress address;
  address.size = sizeof address.storage;
  const int fd = ::accept4(fd_, address.pointer(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return Accepted::one;
    return is_exhaustion(errno) ? Accepted::exhausted : Accepted::none;
  }
  if (auto stream = SocketStream::adopt(*loop_, fd))
    rules_.on_accept(std::move(stream), to_endpoint(*address.pointer()));
  return Accepted::one;
}

}  // namespace steelyard::io
