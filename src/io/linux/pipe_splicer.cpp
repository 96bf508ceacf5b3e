#include "io/linux/pipe_splicer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.hpp"
#include "io/linux/socket_stream.hpp"

namespace steelyard::io {

namespace {

// Larger than the system's default of 64 KiB so that a large body needs fewer calls. Not tuned.
constexpr int pipe_bytes = 256 * 1024;
// A user who has many pipes gets tiny ones (pipe-user-pages-soft, pipe(7)): copying is faster then.
constexpr int fair_pipe_bytes = 64 * 1024;

}  // namespace

class SocketPipe final : public SplicePipe {
 public:
  static std::unique_ptr<SocketPipe> open() {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
    ::fcntl(ends[1], F_SETPIPE_SZ, pipe_bytes);
    const int size = ::fcntl(ends[1], F_GETPIPE_SZ);
    if (size < fair_pipe_bytes) {
      ::close(ends[0]);
      ::close(ends[1]);
      return nullptr;
    }
    return std::unique_ptr<SocketPipe>(new SocketPipe(ends[0], ends[1], size));
  }
  ~SocketPipe() override {
    ::close(out_);
    ::close(in_);
  }
  SocketPipe(const SocketPipe&) = delete;
  SocketPipe& operator=(const SocketPipe&) = delete;

  IoResult fill(Stream& from, std::size_t limit) override {
    auto& socket = static_cast<SocketStream&>(from);
    if (!socket.readable_) return {IoStatus::would_block};
    const std::size_t room = capacity_ - pending_;
    if (room == 0) return {IoStatus::would_block};
    const ssize_t moved = ::splice(socket.fd(), nullptr, in_, nullptr, std::min(limit, room),
                                   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved > 0) {
      pending_ += static_cast<std::size_t>(moved);
      return {IoStatus::ok, static_cast<std::size_t>(moved)};
    }
    if (moved == 0) return {IoStatus::end};
    if (errno != EAGAIN && errno != EINTR) return {IoStatus::failed, 0, errno};
    // EAGAIN may also mean a pipe full of small pieces; only an empty pipe proves an empty socket.
    if (errno == EAGAIN && pending_ == 0 && !socket.ended_) socket.readable_ = false;
    return {IoStatus::would_block};
  }

  IoResult drain(Stream& to) override {
    auto& socket = static_cast<SocketStream&>(to);
    socket.send_letters(false);
    if (!socket.writable_) return {IoStatus::would_block};
    const ssize_t moved =
        ::splice(out_, nullptr, socket.fd(), nullptr, pending_, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved > 0) {
      pending_ -= static_cast<std::size_t>(moved);
      return {IoStatus::ok, static_cast<std::size_t>(moved)};
    }
    if (moved < 0 && errno != EAGAIN && errno != EINTR) return {IoStatus::failed, 0, errno};
    socket.writable_ = false;
    return {IoStatus::would_block};
  }

  std::size_t pending() const override { return pending_; }

 private:
  SocketPipe(int out, int in, int capacity)
      : out_(out), in_(in), capacity_(static_cast<std::size_t>(std::max(capacity, 0))) {}
  int out_, in_;
  std::size_t capacity_;
  std::size_t pending_ = 0;
};

std::unique_ptr<SplicePipe> PipeSplicer::borrow(const Stream& from, const Stream& to) {
  if (dynamic_cast<const SocketStream*>(&from) == nullptr) return nullptr;
  if (dynamic_cast<const SocketStream*>(&to) == nullptr) return nullptr;
  if (kept_.empty()) return open_unless_refused();
  auto pipe = std::move(kept_.back());
  kept_.pop_back();
  return pipe;
}

std::unique_ptr<SplicePipe> PipeSplicer::open_unless_refused() {
  if (refusals_left_ > 0) {
    --refusals_left_;
    return nullptr;
  }
  auto pipe = SocketPipe::open();
  if (!pipe) refusals_left_ = refusals_after_failure;
  return pipe;
}

void PipeSplicer::give_back(std::unique_ptr<SplicePipe> pipe) {
  if (pipe->pending() == 0 && kept_.size() < kept_pipes_max) kept_.push_back(std::move(pipe));
}

}  // namespace steelyard::io
