#include "server/keeper_line.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

int send_message(const Descriptor& line, const std::string& text, int attached) {
  if (text.size() > keeper_text_bytes_max) return EMSGSIZE;
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (attached >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof attached);
    std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(line.number(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(text.size())) return 0;
  // A datagram is sent whole or not at all.
  if (sent >= 0) return EIO;
  return errno == ECONNRESET ? EPIPE : errno;
}

std::optional<KeeperMessage> receive_message(const Descriptor& line) {
  KeeperMessage result;
  result.text.resize(keeper_text_bytes_max);
  iovec bytes{result.text.data(), result.text.size()};
  // Room for one descriptor, to the byte: the kernel keeps what does not fit. Padding would have
  // room for a second one.
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_LEN(sizeof(int));
  ssize_t got = 0;
  do {
    got = ::recvmsg(line.number(), &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  result.text.resize(static_cast<std::size_t>(got));
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int attached = -1;
    std::memcpy(&attached, CMSG_DATA(header), sizeof attached);
    result.attached = Descriptor(attached);
  }
  return result;
}

}  // namespace steelyard::server
