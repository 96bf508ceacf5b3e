#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "io/kernel_socket.hpp"
#include "io/linux/epoll_loop.hpp"
#include "io/stream.hpp"

// A connected TCP or Unix socket. Closing the descriptor takes it out of epoll by itself.
//
//   small write ─▶ letter (sent at the turn's end) ──▶ socket
//                                └── what it does not take ─▶ owed ──▶ socket, when it has room
//
// Invariants: 1. while bytes are owed the stream is not writable.
// Threads: the loop's.

namespace steelyard::io {

class SocketStream final : public Stream, public KernelSocket, private WatchedDescriptor {
 public:
  ~SocketStream() override;
  // Takes the descriptor over. nullptr when the loop cannot watch it (the descriptor is closed).
  static std::unique_ptr<SocketStream> adopt(EpollLoop& loop, int fd);

  IoResult read(std::span<char> room) override;
  IoResult write(std::span<const std::string_view> pieces) override;
  bool settle() override {
    send_letters(false);
    return owed_.empty();
  }
  void end_writing() override;
  void reset() override;
  bool silent_and_open() override;
  bool has_hung_up() override;
  Endpoint local() const override;
  int descriptor() const override { return fd_; }
  bool has_room() const override;

  using WatchedDescriptor::fd;
  // While connecting: the next Wait for writing parks until the socket says so.
  void not_yet_writable() { writable_ = false; }

 private:
  friend class PipeSplicer;
  friend class SocketPipe;
  friend class Outbox;
  SocketStream(EpollLoop& loop, int fd) : WatchedDescriptor(loop, fd) {}
  void on_events(std::uint32_t events) override;
  void deliver(std::string_view letter, bool last);
  void send_letters(bool last) {
    if (letters_ != 0) loop_->outbox().send_those_of(*this, last);
  }
  void pay_owed();
  void break_off(int error);
  IoResult sent(ssize_t count, std::size_t wanted);

  std::string owed_;
  int write_error_ = 0;        // of a letter; the next write reports it
  std::uint16_t letters_ = 0;  // in the outbox
  bool ends_when_paid_ = false;
  bool resets_ = false;  // closing tells the peer that it is no end in order
  bool ended_ = false;   // the peer finished or the connection broke: reads never block again
};

}  // namespace steelyard::io
