#pragma once

#include <cstdint>
#include <memory>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"

// A client's connection. Over HTTP/1: one exchange after another, then the end. A client that wants
// HTTP/2 (by ALPN, by its first words, by Upgrade) gets an Http2Session for the rest of it.
//
//   (PROXY header, TLS handshake)
//   idle ──byte──▶ reading a head ──▶ exchange ──▶ idle ...
//     │                 │                 └──▶ linger ─▶ closed
//     └── too long ─────┴── fault: answer, linger
//
// Invariants: 1. requests of a connection are answered in order, one at a time.
//             2. after an answer that left request bytes unread nothing more is parsed.
//             3. an idle connection owns no buffer.
// Threads: the shard's.

namespace steelyard::proxy {

class Http2Session;
class Tunnel;

class ClientConnection {
 public:
  ClientConnection(Shard::Core& core, std::unique_ptr<io::Stream> stream, const Endpoint& peer);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();

  void start() { life_.start(); }
  // Waits for a request: may be closed without taking an answer from anybody.
  bool idle() const;
  bool speaks_http2() const { return session_ != nullptr; }
  // The server stops: a client that can be told so is told.
  void drain();
  // It is closed now.
  void say_goodbye();

  // No request has come yet: its client counts on the first one being answered.
  bool fresh() const { return facts_.requests_before == 0; }

  std::size_t position = 0;  // in Core::connections

 private:
  enum class Next : std::uint8_t { another, close, linger };
  enum class HeadEnd : std::uint8_t { complete, http2, fault, timed_out, closed };

  // How the talk ended; a tunnel goes on after it.
  struct End {
    Next next = Next::another;
    std::unique_ptr<Tunnel> tunnel{};
  };

  io::Task<> live();
  // Not inlined: a tunnel outlives its frame.
  [[gnu::noinline]] io::Task<End> talk();
  bool expects_proxy_header() const;
  [[gnu::noinline]] io::Task<Next> read_proxy_header();
  void tell_of_proxy_header(config::LogLevel level, std::string_view text);
  // False: this address is one of plain HTTP.
  bool start_tls();
  // --- HTTP/2: http2_switch.cpp
  bool has_chosen_http2() const;
  enum class Preface : std::uint8_t { none, part, whole };
  Preface look_for_preface() const;
  bool asks_for_http2();
  [[gnu::noinline]] io::Task<Next> speak_http2();
  [[gnu::noinline]] io::Task<Next> switch_to_http2();
  io::Task<Next> run_session();

  [[gnu::noinline]] io::Task<Next> greet();
  io::Task<Next> answer_plain_http();
  void tell_of_handshake(const std::string& why);
  void tell_of_tls(config::LogLevel level, std::string_view text);
  // False: whoever showed that certificate is not served.
  io::Task<bool> has_good_certificate();
  io::Task<HeadEnd> read_head();
  [[gnu::noinline]] io::Task<> wait_until_sent();
  Instant idle_deadline() const;
  Instant head_deadline(Instant began) const;
  void begin_request();
  void take_head();
  void fit_head();
  void end_request();
  Next next_step(bool received_all) const;

  // Not inlined: their frames would make every idle connection's frame large.
  [[gnu::noinline]] io::Task<Next> refuse_head(HeadEnd end);
  [[gnu::noinline]] io::Task<Next> answer_fault();
  [[gnu::noinline]] io::Task<Next> answer_timeout();
  [[gnu::noinline]] io::Task<> linger();
  [[gnu::noinline]] io::Task<> run(Tunnel& tunnel);

  const config::Server& first_server() const;
  Exchange& exchange() { return workspace_->exchange; }
  ClientSide side() { return {*stream_, timer_, *workspace_}; }

  Shard::Core& core_;
  std::unique_ptr<io::Stream> stream_;
  io::WaitTimer timer_;
  ClientFacts facts_;
  // What the address alone leads to, worked out once in each generation.
  mutable const config::Server* first_server_ = nullptr;
  mutable std::uint64_t first_server_of_ = 0;
  http::RequestHeadReader reader_;
  http::RequestFault fault_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<Http2Session> session_;  // once it speaks HTTP/2
  io::Task<> life_;                        // last: its frame refers to everything above
};

}  // namespace steelyard::proxy
