#include "io/linux/datagrams.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::io {

namespace {

bool is_multicast(const IpAddress& ip) {
  return ip.is_v6() ? ip.bytes()[0] == 0xff : (ip.v4_host_order() >> 28) == 0xe;
}

std::string failure(int error, const char* step, const std::string& address) {
  return "(" + std::to_string(error) + ")" + std::strerror(error) + ": could not " + step + " " +
         address;
}

// The kernel chooses the interface by its routes.
bool join(int fd, const IpAddress& group) {
  if (group.is_v6()) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), 16);
    return ::setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof request) == 0;
  }
  ip_mreq request{};
  request.imr_multiaddr.s_addr = htonl(group.v4_host_order());
  return ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

int make_socket(const IpAddress& ip) {
  return ::socket(ip.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

}  // namespace

std::expected<int, std::string> open_datagram_socket(const Endpoint& endpoint) {
  const int fd = make_socket(endpoint.ip);
  if (fd < 0) return std::unexpected(failure(errno, "make a socket for", endpoint.text()));
  const auto give_up = [&](const char* step) {
    std::string text = failure(errno, step, endpoint.text());
    ::close(fd);
    return std::unexpected(std::move(text));
  };
  const bool is_group = is_multicast(endpoint.ip);
  // Every program of the machine that listens to a group hears it.
  const int one = 1;
  if (is_group) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const SocketAddress address = to_socket_address(endpoint);
  if (::bind(fd, address.pointer(), address.size) != 0) return give_up("bind to");
  if (is_group && !join(fd, endpoint.ip)) return give_up("join group");
  return fd;
}

std::expected<void, std::string> send_datagram(const Endpoint& to, std::string_view bytes) {
  const int fd = make_socket(to.ip);
  if (fd < 0) return std::unexpected(failure(errno, "make a socket for", to.text()));
  const SocketAddress address = to_socket_address(to);
  const auto sent = ::sendto(fd, bytes.data(), bytes.size(), 0, address.pointer(), address.size);
  const int error = errno;
  ::close(fd);
  if (sent < 0) return std::unexpected(failure(error, "send to", to.text()));
  return {};
}

DatagramReceiver::DatagramReceiver(EpollLoop& loop, int fd, OnDatagram on_datagram)
    : WatchedDescriptor(loop, fd), on_datagram_(std::move(on_datagram)) {
  // Level-triggered: what one turn leaves in the queue is reported again.
  CHECK(loop.watch_level(*this, EPOLLIN, false));
}

void DatagramReceiver::on_events(std::uint32_t /*events*/) {
  std::array<char, datagram_bytes_max> bytes;
  for (int i = 0; i < datagrams_a_turn; ++i) {
    SocketAddress from;
    from.size = sizeof from.storage;
    const auto got = ::recvfrom(fd_, bytes.data(), bytes.size(), 0, from.pointer(), &from.size);
    // An error is that of an earlier datagram, or that there is none.
    if (got < 0) return;
    on_datagram_(to_endpoint(*from.pointer()), {bytes.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace steelyard::io
