#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "config/target.hpp"
#include "io/linux/ares_resolver.hpp"
#include "io/linux/epoll_loop.hpp"
#include "io/linux/pipe_splicer.hpp"
#include "io/linux/socket_dialer.hpp"
#include "io/linux/socket_stream.hpp"
#include "proxy/shard.hpp"
#include "tests/support/counting_heap.hpp"

// ThreadSanitizer brings its own operator new: there is nothing to count in its build. The other
// two builds run this.
#if !__has_feature(thread_sanitizer)

// The whole data path on real sockets, in one thread: once warm, an exchange takes nothing from the
// heap. The client and the member are plain descriptors that the test reads and writes itself.

namespace steelyard::proxy {
namespace {

class CountingLog final : public LogSink {
 public:
  void access(const config::LogTarget& /*target*/, std::string_view /*line*/) override { ++lines; }
  void error(const config::LogTarget& /*target*/, const ErrorLine& /*line*/) override {}
  void turn_ended() override {}
  int lines = 0;
};

int loopback_listener() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(::listen(fd, 8) == 0);
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

class SteadyState : public ::testing::Test {
 protected:
  enum class Keeps { lines, timelines };
  explicit SteadyState(Keeps keeps = Keeps::lines) : member_listener_(loopback_listener()) {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    config::Server& server = *config->servers[0];
    server.name = "lb.test";
    server.client.keep_alive_requests_max = 0;
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    balance::MemberSpec member;
    CHECK(balance::parse_member_url(
        member, "http://127.0.0.1:" + std::to_string(port_of(member_listener_))));
    CHECK(balance::set_member_parameter(member, "route", "m1"));
    CHECK(balance::set_member_parameter(member, "upgrade", "websocket"));
    spec->members.push_back(member);
    CHECK(balance::set_balancer_parameter(*spec, "stickysession", "JSESSIONID"));
    server.balancers.push_back(spec);
    config::Route route;
    route.path = "/";
    route.target = "balancer://app/";
    server.routes.push_back(route);
    config::resolve_targets(server);
    config::AccessLog log;
    log.format = *expr::LogFormat::compile("%h %l %u %t \"%r\" %>s %O %{BALANCER_WORKER_NAME}e");
    server.access_logs.push_back(log);
    if (keeps == Keeps::timelines) {
      log.format = *expr::JsonFormat::compile({});
      server.access_logs = {log};
      server.tracing.on = server.keeps_timelines = true;
    }
    shard_ = std::make_unique<Shard>(
        ShardParts{group_, loop_, dialer_, splicer_, log_, {}, [] { return 1; }, {}},
        registry_.bind(std::move(config)));

    client_ = connect();
  }
  ~SteadyState() override {
    shard_->stop();
    for (const int fd : {client_, member_, member_listener_})
      if (fd >= 0) ::close(fd);
  }

  int connect() {
    int ends[2];
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    shard_->accept(io::SocketStream::adopt(loop_, ends[0]), {IpAddress::v4(0x7f000001), 40000});
    return ends[1];
  }
  void turn() { loop_.turn(std::chrono::steady_clock::now() + std::chrono::milliseconds(10)); }
  int accept_member() {
    int fd = -1;
    for (int turns = 0; turns < 1000 && fd < 0; ++turns) {
      turn();
      fd = ::accept4(member_listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    CHECK(fd >= 0);
    return fd;
  }

  // Turns until `fd` has something to read, and reads it into `room_`.
  std::string_view hear(int fd) {
    for (int turns = 0; turns < 1000; ++turns) {
      const ssize_t got = ::recv(fd, room_, sizeof room_, MSG_DONTWAIT);
      if (got >= 0) return {room_, static_cast<std::size_t>(got)};
      turn();
    }
    return {};
  }
  static void say(int fd, std::string_view text) {
    CHECK(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }

  void exchange(std::string_view request, std::string_view answer) {
    say(client_, request);
    if (member_ < 0) member_ = accept_member();
    ASSERT_NE(hear(member_).find("X-Forwarded-For"), std::string_view::npos);
    say(member_, answer);
    ASSERT_TRUE(hear(client_).starts_with("HTTP/1.1 200 OK\r\n"));
  }

  std::size_t takes_of(int exchanges, std::string_view request, std::string_view answer) {
    for (int i = 0; i < 20; ++i) exchange(request, answer);
    const std::size_t before = heap_takes();
    EXPECT_GT(before, 0u);  // it is counted at all
    for (int i = 0; i < exchanges; ++i) exchange(request, answer);
    return heap_takes() - before;
  }

  io::EpollLoop loop_;
  io::SocketDialer dialer_{loop_, std::make_unique<io::AresResolver>(loop_)};
  io::PipeSplicer splicer_;
  CountingLog log_;
  ShardGroup group_;
  StateRegistry registry_;
  std::unique_ptr<Shard> shard_;
  int member_listener_ = -1, client_ = -1, member_ = -1;
  char room_[65536];
};

// WebSockets whose peers have said something and are silent.
class SilentTunnels : public SteadyState {
 protected:
  ~SilentTunnels() override {
    for (const int fd : peers_) ::close(fd);
  }

  void open() {
    const int client = peers_.emplace_back(connect());
    say(client,
        "GET /ws?room=1 HTTP/1.1\r\nHost: lb.test:8080\r\nUser-Agent: t\r\n"
        "Cookie: JSESSIONID=abc.m1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    const int member = peers_.emplace_back(accept_member());
    ASSERT_NE(hear(member).find("Upgrade: websocket"), std::string_view::npos);
    say(member,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    ASSERT_TRUE(hear(client).starts_with("HTTP/1.1 101 "));
    for (const auto& [from, to] : {std::pair(client, member), std::pair(member, client)}) {
      say(from, std::string(1000, 'x'));
      ASSERT_EQ(hear(to).size(), 1000u);
    }
  }

  std::ptrdiff_t bytes_of_one() {
    constexpr int count = 64;
    for (int i = 0; i < 8; ++i) open();
    const std::size_t before = heap_bytes_held();
    for (int i = 0; i < count; ++i) open();
    return static_cast<std::ptrdiff_t>(heap_bytes_held() - before) / count;
  }

  // What so many clients leave that say much at once and go.
  void leave_large_memory(int clients) {
    std::string head = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 90; ++i) head += "X-Field: " + std::string(100, 'x') + "\r\n";
    std::vector<int> fds;
    for (int i = 0; i < clients; ++i) say(fds.emplace_back(connect()), head);
    for (int i = 0; i < 4; ++i) turn();
    for (const int fd : fds) ::close(fd);
    while (log_.lines < clients) turn();
  }

 private:
  std::vector<int> peers_;
};

// JSON lines, and a place in the caller's trace; spans are only made for who exports them.
class TracedSteadyState : public SteadyState {
 protected:
  TracedSteadyState() : SteadyState(Keeps::timelines) {}
};

constexpr std::string_view plain_answer =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: m\r\n"
    "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

TEST_F(SteadyState, a_get_takes_nothing_from_the_heap) {
  EXPECT_EQ(takes_of(100,
                     "GET /app/page?x=1 HTTP/1.1\r\nHost: lb.test:8080\r\nUser-Agent: t\r\n"
                     "Accept: */*\r\nCookie: JSESSIONID=abc.m1\r\n\r\n",
                     plain_answer),
            0u);
  EXPECT_EQ(log_.lines, 120);
}

TEST_F(TracedSteadyState, a_get_with_a_trace_and_a_json_line_takes_nothing_from_the_heap) {
  EXPECT_EQ(takes_of(100,
                     "GET /app/page?x=1 HTTP/1.1\r\nHost: lb.test:8080\r\nUser-Agent: t\r\n"
                     "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                     "tracestate: a=1\r\nCookie: JSESSIONID=abc.m1\r\n\r\n",
                     plain_answer),
            0u);
  EXPECT_EQ(log_.lines, 120);
}

TEST_F(SteadyState, a_post_takes_nothing_from_the_heap) {
  EXPECT_EQ(takes_of(100,
                     "POST /app HTTP/1.1\r\nHost: lb.test\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 11\r\n\r\nhello there",
                     plain_answer),
            0u);
}

TEST_F(SteadyState, chunks_in_both_directions_take_nothing_from_the_heap) {
  EXPECT_EQ(
      takes_of(100,
               "PUT /app HTTP/1.1\r\nHost: lb.test\r\nTransfer-Encoding: chunked\r\n\r\n"
               "5\r\nhello\r\n0\r\n\r\n",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
      0u);
}

constexpr std::ptrdiff_t tunnel_bytes_max = 4096;

TEST_F(SilentTunnels, cost_four_kibibytes_at_most) {
  const std::ptrdiff_t bytes = bytes_of_one();
  EXPECT_LE(bytes, tunnel_bytes_max);
  EXPECT_GT(bytes, 1024);    // it is counted at all
  EXPECT_EQ(log_.lines, 0);  // they all live
}

TEST_F(SilentTunnels, keep_nothing_of_larger_exchanges_before_them) {
  leave_large_memory(200);
  const std::ptrdiff_t bytes = bytes_of_one();
  EXPECT_LE(bytes, tunnel_bytes_max);
  EXPECT_GT(bytes, 1024);  // less, if they had taken what was spare
}

}  // namespace
}  // namespace steelyard::proxy

#endif
