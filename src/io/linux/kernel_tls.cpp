#include "io/linux/kernel_tls.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace steelyard::io {

// A socket that is not connected is refused as such only by a kernel that knows what it is asked
// for; others say ENOENT.
bool kernel_has_tls() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  constexpr char layer[] = "tls";
  const bool is_set = ::setsockopt(fd, IPPROTO_TCP, TCP_ULP, layer, sizeof layer) == 0;
  const bool is_known = is_set || errno == ENOTCONN;
  ::close(fd);
  return is_known;
}

}  // namespace steelyard::io
