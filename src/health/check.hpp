#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "balance/health.hpp"
#include "base/arena.hpp"
#include "cgi/fcgi_answer.hpp"
#include "cgi/variables.hpp"
#include "config/config.hpp"
#include "http/response_head.hpp"
#include "io/dialer.hpp"
#include "io/loop.hpp"
#include "proxy/read_buffer.hpp"
#include "tls/client_context.hpp"

namespace steelyard::proxy {
class Http2Lane;
struct Http2Head;
}  // namespace steelyard::proxy

// One check of one member: a connection of its own, a request, and the verdict on the answer.
//
//   connect ─▶ [write ─▶ head ─▶ body of a GET ─▶ condition or status]
//      └───────────┴───────┴────────┴── a fault, or too late: failed, and why
//
// Invariants: 1. the connection is closed when the check is over, however it ends.
//             2. how long a whole check takes is its owner's business (target.hpp); here each step
//                has its time, and a member that never stops talking gives others their turn.
// Threads: the loop's.

namespace steelyard::health {

struct CheckPlan {
  const balance::MemberSpec& member;
  const config::Server& server;      // whose timeouts and source address count
  const expr::Condition* condition;  // nullptr: a status from 200 to 399 passes
  Duration connect_timeout, read_timeout;
  const tls::ClientContext* tls;  // how an https:// member is spoken to; null: not enabled
  cgi::BackendType fcgi_backend = cgi::BackendType::fpm;
  std::string_view software = {};  // SERVER_SOFTWARE
};

struct Judgement {
  balance::CheckVerdict verdict = balance::CheckVerdict::failed;
  bool says_something =
      true;  // false: nobody could be asked, the program lacks descriptors or memory
  balance::Evidence evidence;
  std::string status_line;  // as received; empty: there was none
  std::string words;        // what a FastCGI application said on STDERR, its begin
  std::string eval_error;   // of the condition
};

class Check {
 public:
  // What `plan` refers to outlives the check.
  Check(io::Loop& loop, io::Dialer& dialer, const CheckPlan& plan)
      : loop_(loop), dialer_(dialer), plan_(plan), timer_(loop.timers()) {}

  io::Task<Judgement> run();

 private:
  // Empty: all went well. Else what went wrong, for people.
  using Fault = std::string;

  io::Task<Fault> connect();
  io::Task<Fault> secure();
  [[nodiscard]] bool speaks_http2() const { return plan_.member.scheme.starts_with("h2"); }
  io::Task<Fault> ask();
  io::Task<Fault> exchange();
  // --- check_http2.cpp
  io::Task<Fault> exchange_http2();
  io::Task<Fault> hear_head(proxy::Http2Lane& lane);
  void take_head(const proxy::Http2Head& head);
  io::Task<Fault> hear_body(proxy::Http2Lane& lane);
  // --- check_cgi.cpp
  io::Task<Fault> exchange_cgi(cgi::Protocol protocol);
  io::Task<Fault> hear_application();
  io::Task<Fault> hear_stream(cgi::Protocol protocol);
  void note_status();
  // --- check_ftp.cpp
  io::Task<Fault> hear_greeting();
  // ---
  io::Task<Fault> ping();
  io::Task<Fault> write(std::string request);
  io::Task<Fault> read_head();
  enum class Heard : std::uint8_t { more, ended, nothing_in_time, too_much };
  io::Task<Heard> hear();
  io::Task<Fault> read_more();
  io::Task<Fault> read_body(std::uint64_t least_bytes = 0);
  [[nodiscard]] io::DialTarget dial_target() const;
  [[nodiscard]] http::Method method() const;
  [[nodiscard]] Fault too_late(std::string_view what) const;
  void judge_answer();

  io::Loop& loop_;
  io::Dialer& dialer_;
  const CheckPlan plan_;
  io::WaitTimer timer_;
  std::unique_ptr<io::Stream> stream_;
  Arena arena_;
  proxy::ReadBuffer buffer_, body_buffer_;
  http::ResponseHead head_;
  std::string body_;
  std::size_t heard_bytes_ = 0;
  std::optional<cgi::FcgiAnswer> application_;
  Judgement judged_;
};

}  // namespace steelyard::health
