#pragma once

#include <optional>

#include "http/response_head.hpp"
#include "proxy/backend/http1_request.hpp"
#include "proxy/backend_pool.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"
#include "proxy/message_writer.hpp"
#include "proxy/reply.hpp"
#include "proxy/request_body.hpp"
#include "proxy/response_body.hpp"

// One attempt to have a member answer an exchange over HTTP/1.
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

struct AttemptTimes {
  Duration backend;  // `timeout`, ProxyTimeout, Timeout
  Duration connect;
  Duration client;  // Timeout
  std::optional<Duration> ping;
  std::optional<Duration> acquire;
};

struct AttemptPlan {
  balance::Balancer& balancer;
  const balance::Lease& lease;  // outlives the attempt
  BackendTarget target;
  AttemptTimes times;
  bool reuses = true;      // the connection may come from the pool and go back to it
  bool transient = false;  // the member exists for this exchange only: no pool, no limit
};

class Http1Attempt {
 public:
  Http1Attempt(Exchange& x, Shard::Core& core, const ClientSide& client, RequestBody& body,
               const AttemptPlan& plan);
  Http1Attempt(const Http1Attempt&) = delete;
  Http1Attempt& operator=(const Http1Attempt&) = delete;
  ~Http1Attempt();

  // Until the head of the answer is here.
  io::Task<Failure> ask();
  // Then once. No failure: the answer was passed on, or `overridden()`.
  io::Task<Failure> relay();

  // ProxyErrorOverride took the answer: a page of our own with its status is wanted.
  bool overridden() const { return overridden_; }
  // The connection, or the one before it that was found dead, had served another exchange.
  bool began_on_pooled() const { return began_on_pooled_; }
  // The status of the member's final answer; 0: none came.
  int status() const { return final_head_read_ ? x_.response.status : 0; }
  // The member's counters; null for a member that is nobody's.
  MemberCells* cells();
  // After a failure: why the request may go to another member.
  ResendProof proof_for_another(const Failure& failure) const {
    return was_repeated_ ? ResendProof::idempotent : proof_of(failure);
  }

 private:
  io::Task<Failure> connect();
  bool is_tls() const { return plan_.lease.spec().scheme == "https"; }
  void find_tls();
  [[gnu::noinline]] io::Task<Failure> secure();
  BackendPool* find_pool();
  bool take_pooled();
  io::DialTarget dial_target() const;
  io::Task<Failure> wait_for_slot(std::shared_ptr<ConnectionGate> gate);
  void begin_request();
  BodyPlan plan_body() const;
  std::string_view wanted_upgrade() const;

  io::Task<Failure> prefetch();
  Instant first_deadline() const;
  // Sends and reads what goes. True: the head is here, or it will not come for `failure`.
  bool approach_head(Instant& deadline, Failure& failure);
  std::optional<Failure> step_upload();
  std::optional<Failure> read_head();
  std::optional<Failure> judge_head(http::ResponseProgress progress);
  std::optional<Failure> take_interim();
  io::Wait& until_unblocked(io::Wait& wait) const;
  Failure timed_out() const;
  // RequestReadTimeout for bodies, else Timeout.
  Instant body_deadline() const;
  Instant relay_deadline(Instant quiet_since) const;
  bool may_repeat(const Failure& failure) const;
  void note_repeat(const Failure& failure);
  void note_moments();
  void tell_latency(const Failure& failure);

  std::optional<Failure> step_download();
  std::optional<Failure> step_splice();
  io::Task<Failure> tunnel();
  bool wants_override() const;
  Failure cut_short();
  void finish_backend();
  void account();
  // Bytes that went to the member or came from it.
  std::uint64_t moved() const { return upload_.bytes_written() + heard_bytes_; }

  // What the coroutine waits for when nothing moves.
  struct Blocked {
    bool client_read = false, client_write = false, backend_read = false, backend_write = false;
    bool others_turn = false;  // nothing is blocked, but relay_bytes_a_turn are through
  };

  Exchange& x_;
  Shard::Core& core_;
  ClientSide client_;
  RequestBody& body_;
  AttemptPlan plan_;
  std::shared_ptr<BackendPool> pool_;
  std::unique_ptr<BackendConnection> connection_;
  bool reused_ = false, began_on_pooled_ = false, overridden_ = false;
  bool was_repeated_ = false;   // after bytes of the request had gone out
  bool passes_expect_ = false;  // the client's Expect goes to the member
  bool waits_for_continue_ = false, upload_done_ = false, upload_broken_ = false;
  bool owes_continue_ = false;  // the client expects a 100 that we have to give ourselves
  bool final_head_read_ = false;
  int interims_ = 0;
  std::uint64_t heard_bytes_ = 0;       // of an answer, up to its head's end
  std::uint64_t accounted_answer_ = 0;  // body bytes that the member's counter knows of
  Instant body_began_{};
  Instant asked_at_{};  // the member had all of the request
  Blocked blocked_;
  http::ResponseHeadReader reader_;
  MessageWriter upload_, download_;
  std::optional<ResponseBody> response_;
  ReplyFraming reply_;
  std::unique_ptr<io::SplicePipe> pipe_;
  std::string_view upgrade_;
  TlsWish tls_;  // once find_tls() was here
};

}  // namespace steelyard::proxy
