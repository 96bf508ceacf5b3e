#pragma once

// What the three measuring programs share: a descriptor that closes itself, sockets that never
// block, and the few command-line options they take. They end at once with a message on anything
// unexpected, because a measurement that went on after a fault would be worth nothing.
//
// Threads: one.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace steelyard::bench {

[[noreturn]] inline void die(std::string_view what) {
  const std::string reason = std::strerror(errno);
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), reason.c_str());
  std::exit(1);
}

inline bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int raw() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// "127.0.0.1:8080"; the port may be 0 where the kernel is to choose one.
inline sockaddr_in parse_address(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const auto colon = text.find(':');
  errno = EINVAL;
  if (colon == std::string::npos) die(text);
  if (::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) die(text);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
  return address;
}

inline std::string text_of(const sockaddr_in& address) {
  char host[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(ntohs(address.sin_port));
}

inline void send_without_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline Fd listen_on(const std::string& where) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) die("socket");
  const int on = 1;
  ::setsockopt(fd.raw(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = parse_address(where);
  if (::bind(fd.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    die(where);
  if (::listen(fd.raw(), 4096) != 0) die(where);
  return fd;
}

inline sockaddr_in local_address(const Fd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    die("getsockname");
  return address;
}

// A socket whose connect has begun; a connect refused at once leaves an Fd that is not open.
inline Fd start_connect(const sockaddr_in& address) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) die("socket");
  send_without_delay(fd.raw());
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(fd.raw(), target, sizeof address) != 0 && errno != EINPROGRESS) return Fd();
  return fd;
}

inline Fd new_epoll() {
  Fd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd.open()) die("epoll_create1");
  return fd;
}

inline void watch(const Fd& epoll, int fd, std::uint32_t events, void* owner) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner;
  if (::epoll_ctl(epoll.raw(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

// The events that are there; waits for some. For a while after the last ones it looks again and
// again instead of sleeping: waking a sleeper on another core costs the one who wakes it
// microseconds of his own time, so that a proxy would be charged for every nap of its peers, and a
// slow one, whose peers nap more, for more of them. `patience`: of the sleep, forever without it.
class Events {
 public:
  std::span<const epoll_event> take(const Fd& epoll, const timespec* patience) {
    using Clock = std::chrono::steady_clock;
    constexpr auto attentive = std::chrono::milliseconds(2);
    const timespec none{};
    const auto until = Clock::now() + attentive;
    int count = 0;
    while ((count = wait(epoll, &none)) <= 0 && Clock::now() < until) ::sched_yield();
    return count > 0 ? found(count) : sleep(epoll, patience);
  }
  std::span<const epoll_event> sleep(const Fd& epoll, const timespec* patience) {
    return found(wait(epoll, patience));
  }

 private:
  std::span<const epoll_event> found(int count) const {
    return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }
  int wait(const Fd& epoll, const timespec* patience) {
    constexpr auto most = static_cast<int>(std::tuple_size_v<decltype(events_)>);
    return ::epoll_pwait2(epoll.raw(), events_.data(), most, patience, nullptr);
  }
  std::array<epoll_event, 256> events_;
};

// `--name value` pairs and bare `--name` switches, asked for one by one.
class Options {
 public:
  Options(int count, char** words) : count_(count), words_(words) {}

  bool has(std::string_view name) const { return find(name) > 0; }
  std::string text(std::string_view name, std::string fallback) const {
    const int at = find(name);
    return at > 0 && at + 1 < count_ ? words_[at + 1] : std::move(fallback);
  }
  std::size_t number(std::string_view name, std::size_t fallback) const {
    return std::stoull(text(name, std::to_string(fallback)));
  }
  double real(std::string_view name, double fallback) const {
    return std::stod(text(name, std::to_string(fallback)));
  }

 private:
  int find(std::string_view name) const {
    for (int i = 1; i < count_; ++i) {
      if (words_[i] == name) return i;
    }
    return 0;
  }
  int count_;
  char** words_;
};

}  // namespace steelyard::bench
