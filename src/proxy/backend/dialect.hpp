#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/backend/attempt_plan.hpp"
#include "proxy/client_side.hpp"
#include "proxy/failure.hpp"
#include "proxy/message_writer.hpp"
#include "proxy/reply_body.hpp"
#include "proxy/request_body.hpp"

// A protocol that is spoken with members: how the two messages of an exchange look on the wire. The
// attempt (attempt.hpp) decides when something is sent or read, and what a failure means; it is the
// same for every protocol.
//
//   begin ─▶ send ... ─▶ read_head ... ─▶ begin_answer ─▶ the body's pull and take
//     ▲                     │
//     └── again, on another connection, when the pooled one was dead
//
// Invariants: 1. nothing of an earlier exchange or connection is left after begin().
//             2. an answer that did not end as its framing says ends with cut_short, never
//             finished.
// Threads: the shard's.

namespace steelyard::proxy {

class Dialect {
 public:
  // What is talked about. All of it outlives the dialect.
  struct Matter {
    Exchange& x;
    const ClientSide& client;
    RequestBody& body;
    const AttemptPlan& plan;
  };

  virtual ~Dialect() = default;

  // --- the request -------------------------------------------------------------------------------
  // The body is received whole before begin(), because the head tells its length.
  virtual bool needs_length() const { return false; }
  // What the client sends goes on as it comes: nothing of it is gathered before begin().
  virtual bool streams_body() const { return false; }
  // The client's wish for leave to send its body goes to the member, which gives it or not.
  virtual bool passes_expect() const { return false; }
  // Why no member is asked: the request is one that the protocol has no words for. Before begin(),
  // and before there is a connection.
  virtual Failure objection() { return {}; }
  // When the member's name leads nowhere; 0: what the failure says.
  virtual int status_without_address() const { return 0; }
  // Lays the request out. Nothing was said on the connection yet in this exchange.
  virtual void begin() = 0;
  // Instead of send() and read_head(): a conversation until the head is here (FTP). After begin().
  virtual bool converses() const { return false; }
  virtual io::Task<Failure> converse(Shard::Core& core, io::Stream& member);
  // A sign of the member is waited for before all else: 100 (Continue), CPONG. Its own time limit.
  virtual bool is_probing() const { return false; }
  // And the member does not even know of the request yet: another connection may be tried.
  virtual bool is_untold() const { return false; }
  // Body bytes are not taken now, until something comes from the member.
  virtual bool holds_body() const { return is_probing(); }
  // Sends what goes of the head and the body. `last`: the body ends with `data`.
  virtual MessageWriter::Result send(io::Stream& member, std::string_view data, bool last) = 0;
  // So much was sent that an answer may be looked for.
  virtual bool may_hear() const = 0;
  virtual bool in_debt() const = 0;  // bytes that were taken wait for room in the socket
  virtual bool sent_all() const = 0;
  // For the member's `transferred`, since it was asked last (httpd counts different bytes for each
  // protocol); and all bytes since begin().
  virtual std::uint64_t take_transferred() = 0;
  virtual std::uint64_t bytes_sent() const = 0;

  // --- the answer --------------------------------------------------------------------------------
  // Reads until the final head is in the exchange's `response` (then head_is_here()), the peer has
  // nothing more to say now, or the answer is of no use.
  virtual std::optional<Failure> read_head(io::Stream& member) = 0;
  virtual bool head_is_here() const = 0;
  // read_head() stopped though there may be more to read: it is others' turn.
  virtual bool gives_way() const { return false; }
  // HTTP's rules for what a proxy makes of a head count for it.
  virtual bool speaks_http() const { return true; }
  // As an ErrorDocument it has the status of the error when ProxyErrorOverride counts for that
  // (httpd: not with scripts).
  virtual bool keeps_error_status() const { return true; }
  virtual std::uint64_t bytes_heard() const = 0;  // up to the head's end, since begin()
  // What the client gets when no answer comes in time (httpd's handlers differ); 0: as over HTTP.
  virtual int silence_status() const { return 0; }
  // A member can say that it did not look at a request; and it said so of this one.
  virtual bool may_refuse() const { return false; }
  virtual bool was_refused() const { return false; }
  // It did so while it had others from us on the same connection.
  virtual bool lacked_room() const { return false; }
  // As the member writes it: after a 101 the protocol that both peers go on with, which the request
  // asked for; with another status one that it may be asked for. Empty: none.
  virtual std::string_view upgrade() const { return {}; }
  // Once, after the head. The body lives until begin() or the dialect's end.
  virtual ReplyBody& begin_answer(io::Stream& member) = 0;
  // Where the answer's next byte comes from.
  virtual io::Stream& heard_stream(io::Stream& member) { return member; }
  // Gives a failure of this connection the status and page that httpd has for it, where the cause
  // alone does not tell.
  virtual void judge(Failure& /*failure*/) const {}
  // The failure puts the member in error, though it is no 503.
  virtual bool marks_member(const Failure& /*failure*/) const { return false; }
  // What may be tried with another member had gone out, and can do no harm twice.
  virtual bool marks_sent(const Failure& /*failure*/) const { return false; }
  // Both messages ended as framed and nothing lies behind them: another exchange may follow.
  virtual bool may_reuse() const = 0;
};

}  // namespace steelyard::proxy
