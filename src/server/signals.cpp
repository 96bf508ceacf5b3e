#include "server/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace steelyard::server {

namespace {

std::optional<Order> order_of(unsigned signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
      return Order::stop;
    case SIGHUP:
      return Order::restart;
    case SIGUSR1:
      return Order::graceful;
    case SIGWINCH:
      return Order::graceful_stop;
    default:
      return std::nullopt;
  }
}

// Rounded up, so that a deadline has passed when poll() says so.
int poll_milliseconds(std::optional<Duration> patience) {
  if (!patience) return -1;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*patience).count();
  return static_cast<int>(std::clamp<long>(ms, 0, 1 << 30));
}

}  // namespace

std::expected<Signals, std::string> Signals::block_and_listen() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_IGN);  // programs of piped logs leave no zombies
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGWINCH}) sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  Signals result;
  result.source_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  result.interruption_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!result.source_.is_open() || !result.interruption_.is_open())
    return std::unexpected(std::string(strerror(errno)));
  return result;
}

std::optional<Order> Signals::next(std::optional<Duration> patience) {
  pollfd watched[] = {{.fd = source_.number(), .events = POLLIN, .revents = 0},
                      {.fd = interruption_.number(), .events = POLLIN, .revents = 0},
                      {.fd = mourned_line_, .events = 0, .revents = 0}};
  if (::poll(watched, 3, poll_milliseconds(patience)) <= 0) return std::nullopt;
  if (watched[1].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(interruption_.number(), &count, sizeof count);
  }
  if (watched[2].revents != 0) {
    mourned_line_ = -1;
    return Order::mourn;
  }
  signalfd_siginfo info{};
  if (::read(source_.number(), &info, sizeof info) != sizeof info) return std::nullopt;
  return order_of(info.ssi_signo);
}

void Signals::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(interruption_.number(), &one, sizeof one);
}

}  // namespace steelyard::server
