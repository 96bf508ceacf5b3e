// The floor of every comparison: a TCP relay that reads nothing of what it carries, with one
// backend connection for each client connection. What it costs is the kernel's price for carrying a
// request there and an answer back; no proxy on sockets can cost less.
//
//   relay [--splice] [--buffer BYTES] --to HOST:PORT[,HOST:PORT...]
//
// prints its address and "ready". --splice lets answers pass through a pipe instead of our memory.
//
// Every socket is registered once, edge-triggered, for both directions. A short read is taken as
// the end of what is there, unless the peer has already said that it will send no more.

#include <memory>
#include <vector>

#include "net.hpp"

namespace steelyard::bench {
namespace {

struct Pair;

struct Side {
  Fd fd;
  Pair* pair = nullptr;
  bool readable = false;
  bool writable = false;
  bool peer_finished = false;  // it has sent its FIN
  bool input_ended = false;    // and we have read up to it
};

struct Pipe {
  Fd out;
  Fd in;
  std::size_t bytes = 0;
};

struct Pair {
  Side client;
  Side backend;
  std::string to_backend;  // what the other socket did not take
  std::string to_client;
  Pipe pipe;
  bool over = false;
};

enum class Carry { copying, splicing };

class Relay {
 public:
  Relay(std::vector<sockaddr_in> backends, Carry answers, std::size_t buffer_bytes)
      : backends_(std::move(backends)),
        answers_(answers),
        buffer_(buffer_bytes),
        epoll_(new_epoll()),
        listener_(listen_on("127.0.0.1:0")) {
    watch(epoll_, listener_.raw(), EPOLLIN, nullptr);
    std::printf("%s\nready\n", text_of(local_address(listener_)).c_str());
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    while (true) {
      const int count = ::epoll_wait(epoll_.raw(), events, 256, -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == nullptr) {
          accept_all();
        } else {
          proceed(*static_cast<Side*>(events[i].data.ptr), events[i].events);
        }
      }
      ended_.clear();  // not before: a later event of this turn may name the other side of a pair
    }
  }

 private:
  void accept_all() {
    while (true) {
      Fd fd(::accept4(listener_.raw(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.open()) return;
      send_without_delay(fd.raw());
      Fd backend = start_connect(backends_[next_++ % backends_.size()]);
      if (!backend.open()) continue;
      auto* pair = new Pair;  // proceed() hands it to ended_
      adopt(*pair, pair->client, std::move(fd));
      adopt(*pair, pair->backend, std::move(backend));
    }
  }

  void adopt(Pair& pair, Side& side, Fd fd) {
    side.fd = std::move(fd);
    side.pair = &pair;
    watch(epoll_, side.fd.raw(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &side);
  }

  void proceed(Side& side, std::uint32_t events) {
    Pair& pair = *side.pair;
    if (pair.over) return;
    side.readable |= (events & (EPOLLIN | EPOLLRDHUP)) != 0;
    side.writable |= (events & EPOLLOUT) != 0;
    side.peer_finished |= (events & EPOLLRDHUP) != 0;
    bool good = (events & EPOLLERR) == 0;
    good = good && copy(pair.client, pair.backend, pair.to_backend);
    good = good && (answers_ == Carry::copying ? copy(pair.backend, pair.client, pair.to_client)
                                               : splice(pair.backend, pair.client, pair.pipe));
    if (good && !(pair.client.input_ended && pair.backend.input_ended)) return;
    pair.over = true;
    ended_.emplace_back(&pair);
  }

  // False when the pair is lost.
  bool copy(Side& from, Side& to, std::string& leftover) {
    while (to.writable) {
      if (!leftover.empty()) {
        const auto sent = send_some(to, leftover);
        if (sent < 0) return false;
        leftover.erase(0, static_cast<std::size_t>(sent));
        continue;
      }
      if (!from.readable) return true;
      const auto got = ::recv(from.fd.raw(), buffer_.data(), buffer_.size(), 0);
      if (got <= 0) return no_input(from, to, got);
      const std::string_view data(buffer_.data(), static_cast<std::size_t>(got));
      if (data.size() < buffer_.size() && !from.peer_finished) from.readable = false;
      const auto sent = send_some(to, data);
      if (sent < 0) return false;
      leftover.assign(data.substr(static_cast<std::size_t>(sent)));
    }
    return true;
  }

  // Bytes taken; 0 when the socket is full; negative when it is lost.
  static ssize_t send_some(Side& to, std::string_view data) {
    const auto sent = ::send(to.fd.raw(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent < static_cast<ssize_t>(data.size())) to.writable = false;
    if (sent < 0) return would_block() ? 0 : -1;
    return sent;
  }

  bool splice(Side& from, Side& to, Pipe& pipe) {
    if (!pipe.out.open()) open_pipe(pipe);
    while (to.writable) {
      if (pipe.bytes > 0) {
        const auto sent = ::splice(pipe.out.raw(), nullptr, to.fd.raw(), nullptr, pipe.bytes,
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (sent < 0 && !would_block()) return false;
        if (sent <= 0) to.writable = false;
        pipe.bytes -= static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
        continue;
      }
      if (!from.readable) return true;
      const auto got = ::splice(from.fd.raw(), nullptr, pipe.in.raw(), nullptr, pipe_bytes,
                                SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (got <= 0) return no_input(from, to, got);
      pipe.bytes = static_cast<std::size_t>(got);
    }
    return true;
  }

  static void open_pipe(Pipe& pipe) {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) die("pipe2");
    pipe.out = Fd(ends[0]);
    pipe.in = Fd(ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(pipe_bytes));
  }

  // `got` is 0 at the peer's end, negative when nothing is there or the connection is lost.
  static bool no_input(Side& from, Side& to, ssize_t got) {
    if (got < 0 && !would_block()) return false;
    from.readable = false;
    if (got == 0 && !from.input_ended) {
      from.input_ended = true;
      ::shutdown(to.fd.raw(), SHUT_WR);
    }
    return true;
  }

  static constexpr std::size_t pipe_bytes = 256 * 1024;
  std::vector<sockaddr_in> backends_;
  Carry answers_;
  std::size_t next_ = 0;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Pair>> ended_;
  Fd epoll_;
  Fd listener_;
};

std::vector<sockaddr_in> parse_addresses(const std::string& list) {
  std::vector<sockaddr_in> addresses;
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    addresses.push_back(parse_address(list.substr(begin, end - begin)));
    begin = end + 1;
  }
  return addresses;
}

}  // namespace
}  // namespace steelyard::bench

int main(int count, char** words) {
  namespace bench = steelyard::bench;
  const bench::Options options(count, words);
  const auto answers = options.has("--splice") ? bench::Carry::splicing : bench::Carry::copying;
  auto backends = bench::parse_addresses(options.text("--to", ""));
  if (backends.empty()) {
    std::fprintf(stderr, "relay [--splice] [--buffer BYTES] --to HOST:PORT[,HOST:PORT...]\n");
    return 2;
  }
  bench::Relay(std::move(backends), answers, options.number("--buffer", 256 * 1024)).run();
}
