#include "server/detachment.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steelyard::server {

namespace {

// The child says one byte when it is ready; end of file means that it died before.
[[noreturn]] void wait_for(pid_t child, int pipe) {
  char word = 0;
  ssize_t got = 0;
  while ((got = ::read(pipe, &word, 1)) < 0 && errno == EINTR) {
  }
  if (got == 1) ::_exit(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

std::expected<Detachment, std::string> Detachment::background() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(std::string(strerror(errno)));
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(std::string(strerror(errno)));
  if (child > 0) {
    write_end.close();
    wait_for(child, read_end.number());
  }
  ::setsid();
  Detachment result;
  result.parent_ = std::move(write_end);
  return result;
}

void Detachment::ready() {
  if (!parent_.is_open()) return;
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int standard = 0; standard <= 2; ++standard) ::dup2(nothing.number(), standard);
  const char word = 'r';
  // A parent that was killed meanwhile needs no word.
  [[maybe_unused]] const ssize_t told = ::write(parent_.number(), &word, 1);
  parent_.close();
}

}  // namespace steelyard::server
