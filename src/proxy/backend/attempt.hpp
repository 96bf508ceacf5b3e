#pragma once

#include "proxy/backend/dialect.hpp"
#include "proxy/backend/member_link.hpp"
#include "proxy/backend/tunnel.hpp"
#include "proxy/compression.hpp"
#include "proxy/reply.hpp"

// One attempt to have a member answer an exchange, in whatever dialect the member speaks.
//
//   connect ─▶ send head ─▶ send body ──────────────┐
//                 └──▶ await head ─▶ relay the answer ─▶ connection to the pool, or closed
//
// Sending and receiving run side by side: an answer that comes before the request body ended is
// passed on at once.
//
// Invariants: 1. once a byte of the answer went to the client, the attempt is the last one.
//             2. the connection goes back to the pool only if both messages ended as framed.
// Threads: the shard's.

namespace steelyard::proxy {

class Attempt {
 public:
  // All outlive the attempt.
  Attempt(const Dialect::Matter& matter, Shard::Core& core, Dialect& dialect);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt();

  // Until the head of the answer is here.
  io::Task<Failure> ask();
  // Instead of relay(): the answer is nobody's.
  void discard() { link_.close(); }
  // Then once. No failure: the answer was passed on, or `overridden()`, or there is a tunnel.
  io::Task<Failure> relay();

  // ProxyErrorOverride took the answer: a page of our own with its status is wanted.
  bool overridden() const { return overridden_; }
  // The member changed the protocol; else null.
  std::unique_ptr<Tunnel> take_tunnel() { return std::move(tunnel_); }
  // The connection, or the one before it that was found dead, had served another exchange.
  bool began_on_pooled() const { return link_.began_on_pooled(); }
  // The status of the member's final answer; 0: none came.
  int status() const { return dialect_.head_is_here() ? x_.response.status : 0; }
  // The member's counters; null for a member that is nobody's.
  MemberCells* cells() { return link_.cells(); }
  // After a failure: the member said that it did not look at the request.
  bool was_refused() const { return refused_; }
  // And: why the request may go to another member.
  ResendProof proof_for_another(const Failure& failure) const;

 private:
  io::Task<Failure> prefetch();
  Instant first_deadline() const;
  // Sends and reads what goes. True: the head is here, or it will not come for `failure`.
  bool approach_head(Instant& deadline, Failure& failure);
  std::optional<Failure> step_upload();
  io::Wait& until_unblocked(io::Wait& wait) const;
  Failure timed_out() const;
  // RequestReadTimeout for bodies, else Timeout.
  Instant body_deadline() const;
  Instant relay_deadline(Instant quiet_since) const;
  bool is_for_once() const;
  bool may_repeat(const Failure& failure) const;
  bool may_ask_again() const;
  void note_refusal();
  bool may_knock_again(const Failure& failure) const;
  void knock_again();
  void note_repeat(const Failure& failure);
  void note_moments();
  void tell_latency(const Failure& failure);

  std::optional<Failure> step_download();
  std::optional<Failure> step_splice();
  void begin_tunnel();
  int kept_status() const;
  // `how`: in words; may be empty.
  Failure cut_short(std::string how);
  bool adopt_head();
  void finish_backend();
  void account();
  // Bytes that went to the member or came from it.
  std::uint64_t moved() const { return dialect_.bytes_sent() + dialect_.bytes_heard(); }

  // What the coroutine waits for when nothing moves.
  struct Blocked {
    bool client_read = false, client_write = false, backend_read = false, backend_write = false;
    bool others_turn = false;  // nothing is blocked, but enough is through for a turn
  };

  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  RequestBody& body_;
  const AttemptPlan& plan_;
  Dialect& dialect_;
  MemberLink link_;
  bool overridden_ = false, upload_broken_ = false;
  int upload_error_ = 0;                    // errno of what broke it
  bool refused_ = false;                    // on the connection used last
  int refusals_ = 0, refusals_in_all_ = 0;  // the former with nothing else under way
  Instant refusals_end_{};
  bool knocks_again_ = false;           // the member did not answer when it was asked at first
  bool was_repeated_ = false;           // after bytes of the request had gone out
  bool owes_continue_ = false;          // the client expects a 100 that we have to give ourselves
  std::uint64_t accounted_answer_ = 0;  // body bytes that the member's counter knows of
  Instant body_began_{};
  Instant asked_at_{};  // the member had all of the request
  Blocked blocked_;
  MessageWriter download_;
  ReplyBody* answer_ = nullptr;  // once its head was here
  std::unique_ptr<CompressedBody> compressed_;
  ReplyFraming reply_;
  std::unique_ptr<io::SplicePipe> pipe_;
  std::unique_ptr<Tunnel> tunnel_;
};

}  // namespace steelyard::proxy
