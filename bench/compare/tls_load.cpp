// The load of comparisons over TLS: a number of connections, each of which sends a request, waits
// for the whole answer, and sends the next one (a closed loop).
//
//   tls_load --to HOST:PORT [--path /1k] [--connections 64] [--seconds 5] [--fresh] [--hold]
//
// --fresh   a connection with a handshake of its own for each request, without tickets.
// --hold    each connection asks once; then prints "held" and keeps all of them open until its
//           standard input ends.
//
// It believes any certificate. Prints one JSON object, as load does. Errors end the run.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <vector>

#include "histogram.hpp"
#include "net.hpp"

namespace steelyard::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Plan {
  sockaddr_in target{};
  std::string request;
  std::size_t connections = 64;
  std::chrono::nanoseconds duration{};
  bool fresh = false;
  bool hold = false;
};

Plan read_plan(const Options& options) {
  Plan plan;
  const auto target = options.text("--to", "");
  plan.target = parse_address(target);
  plan.connections = options.number("--connections", 64);
  plan.duration = std::chrono::nanoseconds(static_cast<long>(options.real("--seconds", 5) * 1e9));
  plan.fresh = options.has("--fresh");
  plan.hold = options.has("--hold");
  plan.request = "GET " + options.text("--path", "/1k") + " HTTP/1.1\r\nHost: " + target +
                 "\r\nUser-Agent: load\r\nAccept: */*\r\n" +
                 (plan.fresh ? "Connection: close\r\n" : "") + "\r\n";
  return plan;
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct Connection {
  Fd fd;
  std::unique_ptr<SSL, FreeSsl> ssl;
  bool sent = false;
  std::string head;
  long body_left = -1;  // not known yet
  Clock::time_point started;
};

enum class Progress { waiting, answered, lost };

class Load {
 public:
  explicit Load(Plan plan)
      : plan_(std::move(plan)),
        context_(SSL_CTX_new(TLS_client_method())),
        epoll_(new_epoll()),
        all_(plan_.connections),
        buffer_(64 * 1024) {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
  }

  void run() {
    begin_ = last_answer_ = Clock::now();
    for (Connection& connection : all_) start(connection);
    while (under_way_ > 0 && errors_ == 0) {
      const timespec patience{.tv_sec = 1, .tv_nsec = 0};
      for (const epoll_event& event : events_.take(epoll_, &patience)) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (connection.ssl != nullptr && connection.started != Clock::time_point()) {
          proceed(connection);
        }
      }
      if (Clock::now() > begin_ + plan_.duration + std::chrono::seconds(10)) break;
    }
    errors_ += under_way_;
  }

  std::uint64_t errors() const { return errors_; }
  std::size_t still_open() const { return all_.size(); }

  void print() const {
    const auto micros = [](std::chrono::nanoseconds time) {
      return static_cast<double>(time.count()) / 1000.0;
    };
    std::printf(
        "{\"requests\": %llu, \"errors\": %llu, \"seconds\": %.6f, \"p50_us\": %.1f, "
        "\"p99_us\": %.1f}\n",
        static_cast<unsigned long long>(times_.total()), static_cast<unsigned long long>(errors_),
        std::chrono::duration<double>(last_answer_ - begin_).count(),
        micros(times_.percentile(0.5)), micros(times_.percentile(0.99)));
    std::fflush(stdout);
  }

 private:
  void start(Connection& connection) {
    connection.started = Clock::now();
    connection.sent = false;
    connection.head.clear();
    connection.body_left = -1;
    ++under_way_;
    if (!connection.fd.open()) {
      connection.fd = start_connect(plan_.target);
      if (!connection.fd.open()) return finish(connection, Progress::lost);
      connection.ssl.reset(SSL_new(context_.get()));
      SSL_set_fd(connection.ssl.get(), connection.fd.raw());
      SSL_set_connect_state(connection.ssl.get());
      watch(epoll_, connection.fd.raw(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &connection);
      return;  // the first event tells that it is connected
    }
    proceed(connection);
  }

  void proceed(Connection& connection) {
    const Progress progress = carry_on(connection);
    if (progress != Progress::waiting) finish(connection, progress);
  }

  Progress carry_on(Connection& connection) {
    ERR_clear_error();
    SSL* const ssl = connection.ssl.get();
    if (!connection.sent) {
      const int size = static_cast<int>(plan_.request.size());
      const int written = SSL_write(ssl, plan_.request.data(), size);
      if (written != size) return why(ssl, written);
      connection.sent = true;
    }
    while (true) {
      const int got = SSL_read(ssl, buffer_.data(), static_cast<int>(buffer_.size()));
      if (got <= 0) return why(ssl, got);
      if (!take(connection, {buffer_.data(), static_cast<std::size_t>(got)})) return Progress::lost;
      if (connection.body_left == 0) return Progress::answered;
    }
  }

  static Progress why(SSL* ssl, int result) {
    const int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Progress::waiting;
    return Progress::lost;
  }

  static bool take(Connection& connection, std::string_view data) {
    if (connection.body_left < 0) {
      connection.head.append(data);
      const auto end = connection.head.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      if (!connection.head.starts_with("HTTP/1.1 200")) return false;
      connection.body_left = length_in(connection.head.substr(0, end + 2));
      if (connection.body_left < 0) return false;
      data = std::string_view(connection.head).substr(end + 4);
    }
    connection.body_left -= static_cast<long>(data.size());
    return connection.body_left >= 0;
  }

  static long length_in(std::string_view head) {
    constexpr std::string_view name = "\r\ncontent-length:";
    for (std::size_t at = 0; (at = head.find("\r\n", at)) != std::string_view::npos; at += 2) {
      if (::strncasecmp(head.data() + at, name.data(), std::min(name.size(), head.size() - at)) ==
          0)
        return std::strtol(head.data() + at + name.size(), nullptr, 10);
    }
    return -1;
  }

  void finish(Connection& connection, Progress progress) {
    --under_way_;
    if (progress == Progress::answered) {
      last_answer_ = Clock::now();
      times_.add(last_answer_ - connection.started);
    } else {
      ++errors_;
    }
    connection.started = {};
    if (plan_.fresh || progress == Progress::lost) {
      if (progress == Progress::answered) SSL_shutdown(connection.ssl.get());
      connection.ssl.reset();
      connection.fd = Fd();
    }
    if (!plan_.hold && errors_ == 0 && Clock::now() < begin_ + plan_.duration) start(connection);
  }

  Plan plan_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  Fd epoll_;
  Events events_;
  std::vector<Connection> all_;
  std::vector<char> buffer_;
  Histogram times_;
  Clock::time_point begin_;
  Clock::time_point last_answer_;
  std::size_t under_way_ = 0;
  std::uint64_t errors_ = 0;
};

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
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    std::printf("{\"still_open\": %zu}\n", load.still_open());
  }
  return load.errors() == 0 ? 0 : 1;
}
