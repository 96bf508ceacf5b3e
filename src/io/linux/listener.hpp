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

// Accepts connections and hands them out. When there is no room for more, or the system is out of
// descriptors or memory, it lets them wait in the kernel's queue and looks again after `pause`.
class Listener final : private WatchedDescriptor {
 public:
  static constexpr Duration pause = std::chrono::milliseconds(100);

  struct Rules {
    std::function<void(std::unique_ptr<Stream>, const Endpoint& peer)> on_accept;
    std::function<bool()> has_room;           // for one more; null: always
    std::function<void(int error)> on_pause;  // errno, 0: no room; null: nobody wants to know
  };
  // Takes the socket over.
  Listener(EpollLoop& loop, int fd, Rules rules);

  // Accepts what the kernel has queued, room or not; before closing, so that no connection is lost.
  void accept_queued();
  using WatchedDescriptor::fd;

 private:
  class Resumption final : public Timer {
   public:
    explicit Resumption(Listener& listener) : listener_(listener) {}

   private:
    void expired() override { listener_.resume(); }
    Listener& listener_;
  };

  enum class Accepted : std::uint8_t { one, none, exhausted };

  void on_events(std::uint32_t events) override;
  Accepted accept_one();
  void rest(int error);
  void resume();

  Rules rules_;
  Resumption resumption_{*this};
};

}  // namespace steelyard::io
