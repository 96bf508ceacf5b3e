#pragma once

#include <memory>
#include <string>

#include "balance/health.hpp"
#include "base/arena.hpp"
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
// Threads: the loop's.

namespace steelyard::health {

struct CheckPlan {
  const balance::MemberSpec& member;
  const config::Server& server;      // whose timeouts and source address count
  const expr::Condition* condition;  // nullptr: a status from 200 to 399 passes
  Duration connect_timeout, read_timeout;
  const tls::ClientContext* tls;  // how an https:// member is spoken to; null: not enabled
};

struct Judgement {
  balance::CheckVerdict verdict = balance::CheckVerdict::failed;
  bool says_something =
      true;  // false: nobody could be asked, the program lacks descriptors or memory
  balance::Evidence evidence;
  std::string status_line;  // as received; empty: there was none
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
  io::Task<Fault> exchange();
  // --- check_http2.cpp
  io::Task<Fault> exchange_http2();
  io::Task<Fault> hear_head(proxy::Http2Lane& lane);
  void take_head(const proxy::Http2Head& head);
  io::Task<Fault> hear_body(proxy::Http2Lane& lane);
  io::Task<Fault> ping();
  io::Task<Fault> write(std::string request);
  io::Task<Fault> read_head();
  io::Task<Fault> read_more();
  io::Task<Fault> read_body();
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
  Judgement judged_;
};

}  // namespace steelyard::health
