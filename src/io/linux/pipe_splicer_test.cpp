#include "io/linux/pipe_splicer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "io/linux/socket_stream.hpp"

namespace steelyard::io {
namespace {

struct SocketPair {
  SocketPair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    one = SocketStream::adopt(loop, ends[0]);
    other = SocketStream::adopt(loop, ends[1]);
  }
  EpollLoop loop;
  std::unique_ptr<SocketStream> one, other;
};

TEST(PipeSplicer, an_ordinary_user_gets_a_pipe) {
  SocketPair sockets;
  PipeSplicer splicer;
  EXPECT_NE(splicer.borrow(*sockets.one, *sockets.other), nullptr);
}

// 0: a pipe was refused, as it should be. In a child process, which may be another user.
int borrow_when_the_user_has_many_pipes() {
  if (::geteuid() == 0 && ::setuid(65534) != 0) return 2;
  for (int i = 0; i < 400; ++i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) break;
    // No memory is used before something is written.
    if (::fcntl(ends[0], F_SETPIPE_SZ, 1 << 20) < 0 && ::fcntl(ends[0], F_GETPIPE_SZ) < (64 << 10))
      break;
  }
  SocketPair sockets;
  PipeSplicer splicer;
  for (int i = 0; i < 3; ++i)
    if (splicer.borrow(*sockets.one, *sockets.other) != nullptr) return 1;
  return 0;
}

TEST(PipeSplicer, a_tiny_pipe_is_refused) {
  int pages_soft = 0;
  std::ifstream("/proc/sys/fs/pipe-user-pages-soft") >> pages_soft;
  if (pages_soft == 0 || pages_soft > 400 * 256) GTEST_SKIP() << "pipes are hardly bounded here";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(borrow_when_the_user_has_many_pipes());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace steelyard::io
