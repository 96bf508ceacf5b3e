#include "server/demo_member.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <list>
#include <memory>
#include <string>

#include "http/request_head.hpp"
#include "io/linux/epoll_loop.hpp"
#include "io/linux/listener.hpp"
#include "io/task.hpp"
#include "server/demo_page.hpp"
#include "server/listening_sockets.hpp"

namespace steelyard::server {

namespace {

constexpr std::size_t head_bytes_max = std::size_t{64} << 10;
constexpr std::uint64_t body_bytes_max = std::uint64_t{1} << 20;
constexpr Duration idle_timeout = std::chrono::minutes(5);

class DemoMember;

class DemoConnection {
 public:
  DemoConnection(DemoMember& member, io::Loop& loop, std::unique_ptr<io::Stream> stream)
      : member_(member), loop_(loop), stream_(std::move(stream)), timer_(loop.timers()) {}
  void start() {
    task_ = run();
    task_.start();
  }

 private:
  io::Task<> run();
  io::Task<bool> serve_one();
  io::Task<bool> read_more();
  io::Task<bool> skip_body(std::uint64_t bytes);
  io::Task<bool> write_all(std::string answer);

  DemoMember& member_;
  io::Loop& loop_;
  std::unique_ptr<io::Stream> stream_;
  io::WaitTimer timer_;
  std::string received_;
  io::Task<> task_;
};

class DemoMember {
 public:
  explicit DemoMember(const DemoMemberOptions& options) : options_(options) {}

  int run(int socket);
  std::string answer(const http::RequestHead& head, bool keep);
  void finished(DemoConnection& connection);

 private:
  std::string page_answer(const http::RequestHead& head, std::string_view connection_field);
  std::string move_answer(std::string_view cookie, std::string_view connection_field) const;
  std::string new_session() const;

  DemoMemberOptions options_;
  io::EpollLoop loop_;
  std::list<DemoConnection> connections_;
  std::uint64_t served_ = 0;
};

io::Task<> DemoConnection::run() {
  while (co_await serve_one()) {
  }
  member_.finished(*this);
}

// False: the connection is over.
io::Task<bool> DemoConnection::serve_one() {
  http::RequestHeadReader reader;
  http::RequestHead head;
  auto progress = reader.read(received_, head);
  while (progress && *progress == http::HeadProgress::incomplete) {
    if (received_.size() > head_bytes_max || !co_await read_more()) co_return false;
    progress = reader.read(received_, head);
  }
  if (!progress) {
    co_await write_all(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    co_return false;
  }
  const bool chunked = head.body.kind == http::BodyFraming::Kind::chunked;
  const bool keep = head.asks_keep_alive() && !chunked && head.body.length <= body_bytes_max;
  std::string answer = member_.answer(head, keep);
  const std::uint64_t body_bytes = head.body.length;
  received_.erase(0, head.head_bytes);
  if (keep && !co_await skip_body(body_bytes)) co_return false;
  const bool written = co_await write_all(std::move(answer));
  co_return written&& keep;
}

io::Task<bool> DemoConnection::read_more() {
  std::array<char, 8192> room;
  while (true) {
    const io::IoResult got = stream_->read(room);
    if (got.status == io::IoStatus::ok) {
      received_.append(room.data(), got.bytes);
      co_return true;
    }
    if (got.status != io::IoStatus::would_block) co_return false;
    io::Wait wait(timer_, loop_.now() + idle_timeout);
    wait.readable(*stream_);
    const io::Woken woken = co_await wait;
    if (woken == io::Woken::timed_out) co_return false;
  }
}

io::Task<bool> DemoConnection::skip_body(std::uint64_t bytes) {
  while (received_.size() < bytes) {
    bytes -= received_.size();
    received_.clear();
    if (!co_await read_more()) co_return false;
  }
  received_.erase(0, bytes);
  co_return true;
}

io::Task<bool> DemoConnection::write_all(std::string answer) {
  std::string_view rest = answer;
  while (!rest.empty()) {
    const std::array<std::string_view, 1> pieces{rest};
    const io::IoResult written = stream_->write(pieces);
    if (written.status == io::IoStatus::ok) {
      rest.remove_prefix(written.bytes);
      continue;
    }
    if (written.status != io::IoStatus::would_block) co_return false;
    io::Wait wait(timer_, loop_.now() + idle_timeout);
    wait.writable(*stream_);
    const io::Woken woken = co_await wait;
    if (woken == io::Woken::timed_out) co_return false;
  }
  co_return true;
}

int DemoMember::run(int socket) {
  io::Listener::Rules rules;
  rules.on_accept = [this](std::unique_ptr<io::Stream> stream, const Endpoint&) {
    connections_.emplace_back(*this, loop_, std::move(stream));
    connections_.back().start();
  };
  io::Listener listener(loop_, socket, std::move(rules));
  loop_.run();
  connections_.clear();
  return 0;
}

// Not now: the caller is the connection's own coroutine.
void DemoMember::finished(DemoConnection& connection) {
  loop_.defer([this, &connection] {
    connections_.remove_if([&](const DemoConnection& one) { return &one == &connection; });
  });
}

std::string DemoMember::answer(const http::RequestHead& head, bool keep) {
  ++served_;
  const std::string_view connection_field = keep ? "" : "Connection: close\r\n";
  const bool post = head.method_id == http::Method::post;
  if (post && head.target.path == "/login") {
    return move_answer(
        fmt::format("{}={}; Path=/; HttpOnly; SameSite=Lax", demo_cookie, new_session()),
        connection_field);
  }
  if (post && head.target.path == "/logout") {
    return move_answer(fmt::format("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", demo_cookie),
                       connection_field);
  }
  return page_answer(head, connection_field);
}

std::string DemoMember::page_answer(const http::RequestHead& head,
                                    std::string_view connection_field) {
  std::string shown(head.line);
  for (const http::Field& field : head.fields) {
    shown += fmt::format("\n{}: {}", field.name, field.value);
  }
  const std::string_view cookies = head.fields.value(http::FieldId::cookie).value_or("");
  const std::string body = demo_page({.member = options_.name,
                                      .route = options_.route,
                                      .session = demo_session(cookies),
                                      .head = shown,
                                      .served = served_});
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
      "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
      "{}Content-Length: {}\r\n\r\n{}",
      connection_field, body.size(), head.method_id == http::Method::head ? "" : body);
}

// 303: the browser asks for the page, and reloading it does not log in again.
std::string DemoMember::move_answer(std::string_view cookie,
                                    std::string_view connection_field) const {
  return fmt::format(
      "HTTP/1.1 303 See Other\r\nLocation: /\r\nSet-Cookie: {}\r\n{}Content-Length: 0\r\n\r\n",
      cookie, connection_field);
}

std::string DemoMember::new_session() const {
  std::array<unsigned char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) < 0) return "0." + options_.route;
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return options_.route.empty() ? text : text + "." + options_.route;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

int run_demo_member(const DemoMemberOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  config::Listen listen;
  listen.ip = IpAddress::v4(0x7f000001);
  listen.port = options.port;
  auto plan = plan_listeners({listen}, {}, 1, 128);
  if (!plan) {
    std::fprintf(stderr, "demo-member: %s\n", plan.error().c_str());
    return 1;
  }
  DemoMemberOptions known = options;
  const int socket = plan->opened[0].sockets[0].release();
  if (known.name.empty()) known.name = fmt::format("member {}", port_of(socket));
  std::printf("%s is on http://127.0.0.1:%d/\n", known.name.c_str(), port_of(socket));
  std::fflush(stdout);
  DemoMember member(known);
  return member.run(socket);
}

}  // namespace steelyard::server
