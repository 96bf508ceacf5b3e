#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/linux/epoll_loop.hpp"
#include "io/stream.hpp"

// Listening sockets. Opening one (needs privileges, can fail) and serving it on a loop are apart:
// the server opens all sockets before it gives its privileges up and hands them to the shards.

namespace steelyard::io {

struct ListenFailure {
  int error = 0;     // errno
  std::string text;  // "(98)Address already in use: could not bind to address 127.0.0.1:80"
};

// A bound, listening, non-blocking socket with SO_REUSEPORT (each shard has its own for the same
// address) and TCP_NODELAY, which accepted sockets inherit. nullopt: any address, IPv6 and IPv4.
std::expected<int, ListenFailure> open_listening_socket(const std::optional<IpAddress>& ip,
                                                        std::uint16_t port, std::uint32_t backlog);

class Listener final : private Descriptor {
 public:
  using OnAccept = std::function<void(std::unique_ptr<Stream>, const Endpoint& peer)>;
  // Takes the socket over.
  Listener(EpollLoop& loop, int fd, OnAccept on_accept);

  // Accepts what the kernel has queued; before closing, so that no connection is lost.
  void accept_queued();
  using Descriptor::fd;

 private:
  void on_events(std::uint32_t events) override;
  bool accept_one();

  OnAccept on_accept_;
};

}  // namespace steelyard::io
