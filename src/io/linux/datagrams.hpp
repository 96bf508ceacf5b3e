#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "io/linux/epoll_loop.hpp"

// UDP: one socket that hears what comes to a multicast group or an address, and single datagrams to
// send.
//
// Threads: the loop's.

namespace steelyard::io {

// Longer datagrams are cut.
inline constexpr std::size_t datagram_bytes_max = 1024;

// Bound, and a member of the group when the address is one. The error is ready for a log:
// "(19)No such device: could not join group 239.0.0.1".
std::expected<int, std::string> open_datagram_socket(const Endpoint& endpoint);

std::expected<void, std::string> send_datagram(const Endpoint& to, std::string_view bytes);

class DatagramReceiver final : private WatchedDescriptor {
 public:
  // Further ones wait in the kernel's queue for the next turn, or are dropped by it.
  static constexpr int datagrams_a_turn = 64;

  using OnDatagram = std::function<void(const Endpoint& from, std::string_view bytes)>;
  // Takes the socket over.
  DatagramReceiver(EpollLoop& loop, int fd, OnDatagram on_datagram);

 private:
  void on_events(std::uint32_t events) override;

  OnDatagram on_datagram_;
};

}  // namespace steelyard::io
