#include "io/linux/socket_dialer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/linux/exhaustion.hpp"
#include "io/linux/socket_address.hpp"
#include "io/linux/socket_stream.hpp"

namespace steelyard::io {

namespace {

std::unexpected<DialFailure> failed(int error, const std::string& name) {
  // Without a free port for this end the kernel says that the address is not available.
  const bool ours = is_exhaustion(error) || error == EADDRNOTAVAIL;
  return std::unexpected(
      DialFailure{ours ? DialFailure::Cause::exhausted : DialFailure::Cause::refused,
                  "(" + std::to_string(error) + ")" + std::strerror(error) +
                      ": attempt to connect to " + name + " failed"});
}

void set_options(int fd, const DialTarget& target) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (target.keep_alive_probes) ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (target.receive_buffer_bytes != 0) {
    const int bytes = static_cast<int>(target.receive_buffer_bytes);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
}

int connect_error(int fd, const SocketAddress& address) {
  return ::connect(fd, address.pointer(), address.size) == 0 ? 0 : errno;
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool is_barred(const DialTarget& target, const std::vector<IpAddress>& addresses) {
  if (target.barred.empty()) return false;
  return std::ranges::any_of(addresses, [&](const IpAddress& address) {
    return std::ranges::find(target.barred, address) != target.barred.end();
  });
}

std::unexpected<DialFailure> barred(const DialTarget& target) {
  return std::unexpected(DialFailure{DialFailure::Cause::barred,
                                     std::string(target.host) + " leads to a blocked address"});
}

// What making a socket would fail with; 0: nothing.
int socket_error() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

// Whether the handshake is over: a socket has a peer only then.
bool has_peer(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  return ::getpeername(fd, address.pointer(), &address.size) == 0;
}

}  // namespace

SocketDialer::SocketDialer(EpollLoop& loop, std::unique_ptr<Resolver> resolver)
    : loop_(loop), resolver_(std::move(resolver)) {}

Task<Dialed> SocketDialer::dial(DialTarget target, Duration timeout) {
  if (!target.unix_path.empty()) co_return co_await dial_unix(target, timeout);
  if (const auto literal = IpAddress::parse(target.host)) {
    if (is_barred(target, {*literal})) co_return barred(target);
    co_return co_await dial_address(target, *literal, timeout);
  }
  const std::string name(target.host);
  AddressCache::Addresses tried = target.addresses;
  if (!tried) tried = known_.find(name, loop_.now(), target.address_ttl);
  Dialed dialed = std::unexpected(DialFailure{});
  if (tried) {
    dialed = co_await dial_any(target, tried, timeout);
    if (dialed || target.addresses_are_all) co_return dialed;
    if (dialed.error().cause == DialFailure::Cause::exhausted) co_return dialed;
    if (dialed.error().cause == DialFailure::Cause::barred) co_return dialed;
    if (!known_.may_look_again(name, loop_.now())) co_return dialed;
  }
  NameReply reply = co_await resolver_->ask(name, NameQuestion::addresses);
  AddressCache::Addresses next = known_.find_last(name);
  if (!reply.addresses.empty()) {
    known_.keep(name, std::move(reply.addresses), loop_.now(), reply.ttl);
    next = known_.find_last(name);
  }
  if (next && (!tried || *next != *tried)) co_return co_await dial_any(target, next, timeout);
  if (tried) co_return dialed;
  // Nobody was asked if there was no descriptor to ask with.
  if (const int error = socket_error(); is_exhaustion(error)) co_return failed(error, name);
  co_return std::unexpected(
      DialFailure{DialFailure::Cause::no_such_name,
                  "DNS lookup failure for: " + name + " (" + reply.fault + ")"});
}

Task<Dialed> SocketDialer::dial_any(DialTarget target, AddressCache::Addresses addresses,
                                    Duration timeout) {
  if (is_barred(target, *addresses)) co_return barred(target);
  for (std::size_t i = 0; i + 1 < addresses->size(); ++i) {
    Dialed dialed = co_await dial_address(target, (*addresses)[i], timeout);
    if (dialed) co_return dialed;
  }
  co_return co_await dial_address(target, addresses->back(), timeout);
}

Task<Dialed> SocketDialer::dial_unix(DialTarget target, Duration timeout) {
  sockaddr_un name{};
  const std::string path(target.unix_path);
  if (path.size() >= sizeof name.sun_path) co_return failed(ENAMETOOLONG, path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return failed(errno, path);
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  SocketAddress address;
  std::memcpy(&address.storage, &name, sizeof name);
  address.size = sizeof name;
  co_return co_await finish(fd, connect_error(fd, address), path, timeout);
}

Task<Dialed> SocketDialer::dial_address(DialTarget target, IpAddress ip, Duration timeout) {
  const Endpoint endpoint{ip, target.port};
  const int family = ip.is_v6() ? AF_INET6 : AF_INET;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return failed(errno, endpoint.text());
  set_options(fd, target);
  if (target.source && target.source->is_v6() == ip.is_v6()) {
    const SocketAddress from = to_socket_address({*target.source, 0});
    if (::bind(fd, from.pointer(), from.size) != 0) {
      const int error = errno;
      ::close(fd);
      co_return failed(error, endpoint.text() + " from " + target.source->text());
    }
  }
  const int error = connect_error(fd, to_socket_address(endpoint));
  Dialed dialed = co_await finish(fd, error, endpoint.text(), timeout);
  if (dialed) (*dialed)->set_dialed(endpoint);
  co_return dialed;
}

Task<Dialed> SocketDialer::finish(int fd, int error, std::string name, Duration timeout) {
  if (error != 0 && error != EINPROGRESS) {
    ::close(fd);
    co_return failed(error, name);
  }
  auto stream = SocketStream::adopt(loop_, fd);
  if (!stream) co_return failed(ENOMEM, name);  // the loop could not watch it
  if (error == 0) co_return stream;
  const Instant deadline = loop_.now() + timeout;
  WaitTimer timer(loop_.timers());
  while (true) {
    if (const int late = pending_error(fd); late != 0) co_return failed(late, name);
    if (has_peer(fd)) co_return stream;
    stream->not_yet_writable();
    if (co_await Wait(timer, deadline).writable(*stream) == Woken::timed_out) {
      co_return std::unexpected(
          DialFailure{DialFailure::Cause::timed_out,
                      "(110)Connection timed out: attempt to connect to " + name + " failed"});
    }
  }
}

}  // namespace steelyard::io
