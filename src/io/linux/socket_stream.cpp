#include "io/linux/socket_stream.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::io {

namespace {

// The C library makes its own calls points where a thread may be cancelled, at the price of two
// locked instructions each; nobody cancels a thread here.
ssize_t receive(int fd, std::span<char> room, int flags) {
  ssize_t got = 0;
  do {
    got = ::syscall(SYS_recvfrom, fd, room.data(), room.size(), flags, nullptr, nullptr);
  } while (got < 0 && errno == EINTR);
  return got;
}

ssize_t send_one(int fd, std::string_view piece, int flags = 0) {
  ssize_t sent = 0;
  do {
    sent = ::syscall(SYS_sendto, fd, piece.data(), piece.size(), MSG_NOSIGNAL | flags, nullptr, 0);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

// `bytes` becomes what the vector holds.
ssize_t send_pieces(int fd, std::span<const std::string_view> pieces, std::size_t& bytes) {
  constexpr std::size_t pieces_max = 64;
  std::array<iovec, pieces_max> vectors;
  std::size_t count = 0;
  bytes = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (count == pieces_max) break;
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    bytes += piece.size();
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = ::syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

std::unique_ptr<SocketStream> SocketStream::adopt(EpollLoop& loop, int fd) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, fd));
  if (!loop.watch(*stream)) return nullptr;
  return stream;
}

void SocketStream::on_events(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ended_ = true;
  const bool in = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  const bool out = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  if (out) pay_owed();
  became(in, out && owed_.empty());
}

IoResult SocketStream::read(std::span<char> room) {
  CHECK(!room.empty());
  if (!readable_) return {IoStatus::would_block};
  const ssize_t got = receive(fd_, room, 0);
  if (got == 0) return {IoStatus::end};
  if (got > 0) {
    // A short read emptied the socket; the next arrival is a new edge (epoll(7), edge-triggered).
    if (static_cast<std::size_t>(got) < room.size() && !ended_) readable_ = false;
    return {IoStatus::ok, static_cast<std::size_t>(got)};
  }
  if (errno == EAGAIN) {
    readable_ = false;
    return {IoStatus::would_block};
  }
  return {IoStatus::failed, 0, errno};
}

SocketStream::~SocketStream() {
  if (resets_) {
    send_letters(false);
  } else if (letters_ != 0) {
    end_writing();
  }
}

IoResult SocketStream::write(std::span<const std::string_view> pieces) {
  if (!writable_) return {IoStatus::would_block};
  if (write_error_ != 0) return {IoStatus::failed, 0, write_error_};
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  if (bytes == 0) return {};
  // Whether a peer that ended takes it shows at once.
  if (bytes <= Outbox::letter_bytes_max && !ended_) {
    loop_->outbox().put(*this, pieces, bytes);
    ++letters_;
    return {IoStatus::ok, bytes};
  }
  send_letters(false);
  if (!writable_) return {IoStatus::would_block};
  const ssize_t count = send_pieces(fd_, pieces, bytes);
  return sent(count, bytes);
}

IoResult SocketStream::sent(ssize_t count, std::size_t wanted) {
  if (count >= 0) {
    if (static_cast<std::size_t>(count) < wanted) writable_ = false;
    return {IoStatus::ok, static_cast<std::size_t>(count)};
  }
  if (errno == EAGAIN) {
    writable_ = false;
    return {IoStatus::would_block};
  }
  return {IoStatus::failed, 0, errno};
}

// Takes a letter out of the outbox: what the socket does not take is owed. That it broke, the loop
// tells the reader. The last one waits in the kernel for the end that follows at once: one packet
// instead of two.
void SocketStream::deliver(std::string_view letter, bool last) {
  --letters_;
  if (write_error_ != 0) return;
  if (owed_.empty()) {
    const IoResult result = sent(send_one(fd_, letter, last ? MSG_MORE : 0), letter.size());
    if (result.status == IoStatus::failed) break_off(result.error);
    if (result.status != IoStatus::failed) letter.remove_prefix(result.bytes);
    if (write_error_ != 0 || letter.empty()) return;
  }
  owed_.append(letter);
  writable_ = false;
}

// Ended in both directions, so that whoever waits for the peer learns of it in any case.
void SocketStream::break_off(int error) {
  write_error_ = error;
  ::shutdown(fd_, SHUT_RDWR);
}

void SocketStream::pay_owed() {
  if (owed_.empty()) return;
  writable_ = true;
  const IoResult result = sent(send_one(fd_, owed_), owed_.size());
  if (result.status == IoStatus::failed) {
    break_off(result.error);
    owed_.clear();
    return;
  }
  owed_.erase(0, result.bytes);
  if (!owed_.empty()) return;
  owed_.shrink_to_fit();
  if (ends_when_paid_) ::shutdown(fd_, SHUT_WR);
}

void SocketStream::end_writing() {
  if (resets_) return;
  send_letters(true);
  ends_when_paid_ = !owed_.empty();
  if (!ends_when_paid_) ::shutdown(fd_, SHUT_WR);
}

void SocketStream::reset() {
  send_letters(false);
  resets_ = true;
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

bool SocketStream::silent_and_open() {
  if (ended_ || write_error_ != 0) return false;
  if (!readable_) return true;  // no edge since the last read emptied it
  char byte = 0;
  const ssize_t got = receive(fd_, {&byte, 1}, MSG_PEEK | MSG_DONTWAIT);
  if (got >= 0 || errno != EAGAIN) return false;
  readable_ = false;
  return true;
}

bool SocketStream::has_hung_up() {
  pollfd look{.fd = fd_, .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) == 1 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

// Asking in vain makes the system say when there is room (tcp_poll(): SOCK_NOSPACE).
bool SocketStream::has_room() const {
  pollfd look{.fd = fd_, .events = POLLOUT, .revents = 0};
  return ::poll(&look, 1, 0) != 0;
}

Endpoint SocketStream::local() const {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(fd_, address.pointer(), &address.size) != 0) return {};
  return to_endpoint(*address.pointer());
}

}  // namespace steelyard::io
