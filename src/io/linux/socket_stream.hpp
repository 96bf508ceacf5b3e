#pragma once

#include <memory>

#include "io/linux/epoll_loop.hpp"
#include "io/stream.hpp"

// A connected TCP or Unix socket. Closing the descriptor takes it out of epoll by itself.

namespace steelyard::io {

class SocketStream final : public Stream, private Descriptor {
 public:
  // Takes the descriptor over. nullptr when the loop cannot watch it (the descriptor is closed).
  static std::unique_ptr<SocketStream> adopt(EpollLoop& loop, int fd);

  IoResult read(std::span<char> room) override;
  IoResult write(std::span<const std::string_view> pieces) override;
  void end_writing() override;
  void reset() override;
  bool silent_and_open() override;
  Endpoint local() const override;
  Endpoint peer() const override;
  bool is_local_socket() const override;

  using Descriptor::fd;
  // While connecting: the next Wait for writing parks until the socket says so.
  void not_yet_writable() { writable_ = false; }

 private:
  friend class PipeSplicer;
  friend class SocketPipe;
  SocketStream(EpollLoop& loop, int fd) : Descriptor(loop, fd) {}
  void on_events(std::uint32_t events) override;

  bool ended_ = false;  // the peer finished or the connection broke: reads never block again
};

}  // namespace steelyard::io
