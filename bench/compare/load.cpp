// The load of every comparison: a number of connections, each of which sends a request, waits for
// the whole answer, and sends the next one (a closed loop).
//
//   load --to HOST:PORT [--path /1k] [--connections 64] [--seconds 5] [--requests N] [--post BYTES]
//        [--rate N] [--fresh] [--hold]
//
// --rate    does not wait for answers: N requests a second fall due at even distances, each goes
// out on
//           a connection that is free, and its time counts from when it was due, so that a proxy
//           that stalls is charged for all that had to wait.
// --fresh   opens a connection for each request, asks for its end, and counts the request when the
//           proxy has closed.
// --hold    each connection asks once, at most 32 of them at a time; then prints "held" and keeps
// all
//           of them open until its standard input ends.
//
// Ends after the seconds or the requests, whichever comes first, lets what is under way finish, and
// prints one JSON object. An answer other than 200, a connection lost within an exchange or a
// failed connect is an error; 1,000 of them end the run.

#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "histogram.hpp"
#include "net.hpp"

namespace steelyard::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t errors_max = 1000;
constexpr std::size_t opening_at_once = 32;
constexpr std::chrono::seconds finish_time_max{5};

struct Plan {
  sockaddr_in target{};
  std::string request;
  std::size_t connections = 64;
  std::chrono::nanoseconds duration{};
  std::uint64_t requests_max = 0;
  std::chrono::nanoseconds interval{};  // between two requests that fall due; zero: a closed loop
  bool fresh = false;
  bool hold = false;
};

Plan read_plan(const Options& options) {
  Plan plan;
  const auto target = options.text("--to", "");
  plan.target = parse_address(target);
  plan.connections = options.number("--connections", 64);
  plan.duration = std::chrono::nanoseconds(static_cast<long>(options.real("--seconds", 5) * 1e9));
  plan.requests_max = options.number("--requests", 0);
  if (const auto rate = options.number("--rate", 0); rate > 0) {
    plan.interval = std::chrono::nanoseconds(1'000'000'000 / rate);
  }
  plan.fresh = options.has("--fresh");
  plan.hold = options.has("--hold");
  const auto body_bytes = options.number("--post", 0);
  plan.request = std::string(body_bytes > 0 ? "POST " : "GET ") + options.text("--path", "/1k") +
                 " HTTP/1.1\r\nHost: " + target + "\r\nUser-Agent: load\r\nAccept: */*\r\n";
  if (plan.fresh) plan.request += "Connection: close\r\n";
  if (body_bytes > 0) {
    plan.request +=
        "Content-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body_bytes) +
        "\r\n";
  }
  plan.request += "\r\n" + std::string(body_bytes, 'b');
  return plan;
}

enum class Progress { waiting, answered, lost };
enum class Stage { idle, sending, reading_head, reading_body, awaiting_close };

struct Connection {
  Fd fd;
  Stage stage = Stage::idle;
  std::size_t sent = 0;
  std::size_t body_left = 0;
  std::string head;
  Clock::time_point started;
};

// The length that an answer's head declares; negative for anything but a 200 with a length.
long body_length(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 200")) return -1;
  for (auto end = head.find('\n'); end + 1 < head.size(); end = head.find('\n')) {
    head.remove_prefix(end + 1);
    constexpr std::string_view name = "content-length:";
    if (::strncasecmp(head.data(), name.data(), name.size()) == 0) {
      return std::strtol(head.data() + name.size(), nullptr, 10);
    }
  }
  return -1;
}

// Carries one exchange on as far as the socket allows.
class Conversation {
 public:
  explicit Conversation(const Plan& plan) : plan_(plan), buffer_(64 * 1024) {}
  std::uint64_t body_bytes() const { return body_bytes_; }

  Progress proceed(Connection& connection) {
    if (connection.stage == Stage::sending) {
      const auto progress = send_request(connection);
      if (progress != Progress::answered) return progress;
    }
    while (connection.stage != Stage::idle) {
      const auto progress = receive(connection);
      if (progress != Progress::answered) return progress;
    }
    return Progress::answered;
  }

 private:
  Progress send_request(Connection& connection) {
    const auto rest = std::string_view(plan_.request).substr(connection.sent);
    const auto sent = ::send(connection.fd.raw(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return would_block() ? Progress::waiting : Progress::lost;
    connection.sent += static_cast<std::size_t>(sent);
    if (connection.sent < plan_.request.size()) return Progress::waiting;
    connection.stage = Stage::reading_head;
    return Progress::waiting;  // the answer cannot be there yet: its arrival is an event
  }

  // One read; `answered` here means that it brought something.
  Progress receive(Connection& connection) {
    const bool discard = connection.stage == Stage::reading_body;
    const auto got = discard ? discard_some(connection)
                             : ::recv(connection.fd.raw(), buffer_.data(), buffer_.size(), 0);
    if (got < 0) return would_block() ? Progress::waiting : Progress::lost;
    if (connection.stage == Stage::awaiting_close) {
      connection.stage = Stage::idle;
      return got == 0 ? Progress::answered : Progress::lost;
    }
    if (got == 0) return Progress::lost;
    const auto bytes = static_cast<std::size_t>(got);
    if (discard) return took_body(connection, bytes);
    return read_head(connection, std::string_view(buffer_.data(), bytes));
  }

  // TCP drops MSG_TRUNC's bytes without writing them anywhere. The C library's recv is passed by
  // because a sanitizer would hold that they had been written.
  static ssize_t discard_some(Connection& connection) {
    return ::syscall(SYS_recvfrom, connection.fd.raw(), nullptr, connection.body_left, MSG_TRUNC,
                     nullptr, nullptr);
  }

  Progress read_head(Connection& connection, std::string_view data) {
    if (!connection.head.empty()) data = connection.head.append(data);
    const auto end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      if (connection.head.empty()) connection.head = data;
      return Progress::answered;
    }
    const auto length = body_length(data.substr(0, end + 2));
    if (length < 0) return Progress::lost;
    connection.body_left = static_cast<std::size_t>(length);
    const auto surplus = data.size() - end - 4;
    connection.head.clear();
    connection.stage = Stage::reading_body;
    return took_body(connection, surplus);
  }

  Progress took_body(Connection& connection, std::size_t bytes) {
    if (bytes > connection.body_left) return Progress::lost;
    connection.body_left -= bytes;
    body_bytes_ += bytes;
    if (connection.body_left == 0) {
      connection.stage = plan_.fresh ? Stage::awaiting_close : Stage::idle;
    }
    return Progress::answered;
  }

  const Plan& plan_;
  std::vector<char> buffer_;
  std::uint64_t body_bytes_ = 0;
};

class Load {
 public:
  explicit Load(Plan plan)
      : plan_(std::move(plan)),
        conversation_(plan_),
        epoll_(new_epoll()),
        all_(plan_.connections) {}

  void run() {
    begin_ = now_ = Clock::now();
    last_answer_ = begin_;
    due_ = begin_;
    if (paced()) {
      for (auto& connection : all_) free_.push_back(&connection);
      start_what_is_due();
    } else {
      const auto at_once = plan_.hold ? std::min(opening_at_once, all_.size()) : all_.size();
      for (opened_ = 0; opened_ < at_once;) start(all_[opened_++], Clock::now());
    }
    while ((under_way_ > 0 || (paced() && more_wanted())) && errors_ < errors_max) {
      take_events();
      if (now_ > begin_ + plan_.duration + finish_time_max) break;
    }
    errors_ += under_way_;
  }

  std::uint64_t errors() const { return errors_; }

  // Connections that the proxy has not ended.
  std::size_t still_open() const {
    char byte = 0;
    return std::ranges::count_if(all_, [&](const Connection& connection) {
      const auto got = ::recv(connection.fd.raw(), &byte, 1, MSG_PEEK);
      return got < 0 && would_block();
    });
  }

  void print() const {
    const auto seconds = std::chrono::duration<double>(last_answer_ - begin_).count();
    const auto micros = [](std::chrono::nanoseconds time) {
      return static_cast<double>(time.count()) / 1000.0;
    };
    std::printf(
        "{\"requests\": %llu, \"errors\": %llu, \"reopened\": %llu, \"seconds\": %.6f, "
        "\"body_bytes\": %llu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, "
        "\"max_us\": %.1f}\n",
        static_cast<unsigned long long>(times_.total()), static_cast<unsigned long long>(errors_),
        static_cast<unsigned long long>(reopened_), seconds,
        static_cast<unsigned long long>(conversation_.body_bytes()), micros(times_.percentile(0.5)),
        micros(times_.percentile(0.9)), micros(times_.percentile(0.99)), micros(times_.largest()));
    std::fflush(stdout);
  }

 private:
  void take_events() {
    timespec patience{.tv_sec = 0, .tv_nsec = 100'000'000};
    if (paced() && !free_.empty()) {
      const auto left = std::max(due_ - Clock::now(), Clock::duration::zero());
      patience.tv_nsec = std::min<long>(left.count(), patience.tv_nsec);
    }
    const auto events =
        paced() ? events_.sleep(epoll_, &patience) : events_.take(epoll_, &patience);
    now_ = Clock::now();
    for (const epoll_event& event : events) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if (connection.stage == Stage::idle) {
        went_away(connection, event.events);
      } else {
        proceed(connection);
      }
    }
    start_what_is_due();
  }

  bool paced() const { return plan_.interval.count() > 0; }

  void start_what_is_due() {
    while (paced() && !free_.empty() && due_ <= now_ && more_wanted()) {
      auto& connection = *free_.back();
      free_.pop_back();
      start(connection, std::exchange(due_, due_ + plan_.interval));
    }
  }

  // A proxy may end a connection between two exchanges; that is no error.
  void went_away(Connection& connection, std::uint32_t events) {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    connection.fd = Fd();
    ++reopened_;
  }

  bool more_wanted() const {
    if (plan_.hold) return false;
    const bool enough = plan_.requests_max > 0 && started_ >= plan_.requests_max;
    return !enough && now_ < begin_ + plan_.duration;
  }

  void start(Connection& connection, Clock::time_point since) {
    connection.started = since;
    connection.stage = Stage::sending;
    connection.sent = 0;
    ++started_;
    ++under_way_;
    if (!connection.fd.open()) {
      connection.fd = start_connect(plan_.target);
      if (!connection.fd.open()) return finish(connection, Progress::lost);
      constexpr auto events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      watch(epoll_, connection.fd.raw(), events, &connection);
    }
    proceed(connection);
  }

  void proceed(Connection& connection) {
    const auto progress = conversation_.proceed(connection);
    if (progress != Progress::waiting) finish(connection, progress);
  }

  void finish(Connection& connection, Progress progress) {
    --under_way_;
    if (progress == Progress::answered) {
      last_answer_ = Clock::now();
      times_.add(last_answer_ - connection.started);
    } else {
      ++errors_;
    }
    connection.stage = Stage::idle;
    if (plan_.fresh || progress == Progress::lost) connection.fd = Fd();
    if (paced()) {
      free_.push_back(&connection);
    } else if (plan_.hold && opened_ < all_.size()) {
      start(all_[opened_++], Clock::now());
    } else if (more_wanted() && errors_ < errors_max) {
      start(connection, Clock::now());
    }
  }

  Plan plan_;
  Conversation conversation_;
  Fd epoll_;
  Events events_;
  std::vector<Connection> all_;
  std::vector<Connection*> free_;  // of a paced load: those that carry nothing
  Histogram times_;
  Clock::time_point begin_;
  Clock::time_point now_;
  Clock::time_point last_answer_;
  Clock::time_point due_;
  std::size_t opened_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t reopened_ = 0;
};

void wait_for_end_of_input() {
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

}  // namespace
}  // namespace steelyard::bench

int main(int count, char** words) {
  namespace bench = steelyard::bench;
  const bench::Options options(count, words);
  bench::Load load(bench::read_plan(options));
  load.run();
  load.print();
  if (options.has("--hold")) {
    std::printf("held\n");
    std::fflush(stdout);
    bench::wait_for_end_of_input();
    std::printf("{\"still_open\": %zu}\n", load.still_open());
  }
  return load.errors() == 0 ? 0 : 1;
}
