#include "proxy/backend/attempt.hpp"

#include <algorithm>
#include <utility>

#include "http/status.hpp"
#include "io/next_turn.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/body_deadline.hpp"
#include "proxy/body_gathering.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"
#include "proxy/timeline.hpp"

namespace steelyard::proxy {

namespace {

Failure backend_failure(Cause cause) { return {Party::backend, cause}; }

// What is read of a connection that broke under the request is only its end. Where reading found
// the system's word for it that one counts.
void tell_break(Failure& failure, int upload_error) {
  if (failure.cause != Cause::closed || failure.detail.starts_with('(') || upload_error == 0)
    return;
  failure.detail = ending_words({io::IoStatus::failed, 0, upload_error}, {});
}

}  // namespace

Attempt::Attempt(const Dialect::Matter& matter, Shard::Core& core, Dialect& dialect)
    : x_(matter.x),
      core_(core),
      client_(matter.client),
      body_(matter.body),
      plan_(matter.plan),
      dialect_(dialect),
      link_(matter.x, core, matter.client, matter.plan) {}

io::Task<Failure> Attempt::ask() {
  if (Failure objection = dialect_.objection()) co_return objection;
  owes_continue_ =
      x_.request.expects_continue && !dialect_.passes_expect() && body_.received() == 0;
  body_began_ = core_.now();
  if (!dialect_.streams_body() && !dialect_.is_untold() && body_.announced()) {
    Failure failure = co_await prefetch();
    if (failure) co_return failure;
  }
  while (true) {
    Failure failure;
    refused_ = false;
    if (knocks_again_ || !link_.take_pooled()) failure = co_await link_.connect();
    if (failure.cause == Cause::no_such_name) failure.status = dialect_.status_without_address();
    if (failure.cause == Cause::handshake) dialect_.judge(failure);
    if (failure) co_return failure;
    if (!plan_.balancer.connected(plan_.lease)) {
      // Another exchange found out meanwhile (httpd: no connection is used then, even a good one).
      link_.close();
      co_return backend_failure(Cause::unusable);
    }
    if (is_for_once()) body_.stop_keeping();
    dialect_.begin();
    upload_broken_ = false;
    if (dialect_.converses()) {
      asked_at_ = core_.now();
      failure = co_await dialect_.converse(core_, link_.stream());
    }
    Instant deadline = first_deadline();
    while (!failure && !approach_head(deadline, failure)) {
      if (blocked_.others_turn) {
        co_await io::NextTurn(core_.parts.loop);
        continue;
      }
      const bool starved = blocked_.client_read && !dialect_.sent_all();
      io::Wait wait(client_.timer, starved ? body_deadline() : deadline);
      if (co_await until_unblocked(wait) == io::Woken::timed_out) {
        failure = timed_out();
        break;
      }
      if (starved) deadline = core_.now() + plan_.times.backend;
    }
    refused_ = failure && dialect_.was_refused();
    tell_latency(failure);
    note_moments();
    if (!failure) co_return Failure{};
    if (may_knock_again(failure)) {
      knock_again();
      continue;
    }
    if (!may_repeat(failure)) {
      if (upload_broken_) tell_break(failure, upload_error_);
      dialect_.judge(failure);
      link_.close();
      co_return failure;
    }
    note_repeat(failure);
    account();
    if (refused_) {
      note_refusal();
      link_.close();
    } else {
      // The member had closed a connection that lay in the pool; a new one shows whether it lives.
      link_.give_up_pooled();
    }
    body_.rewind();
    if (body_.failure()) co_return body_.failure();
  }
}

// Only what may_repeat() allows needs the body again once it is on its way.
bool Attempt::is_for_once() const {
  if (plan_.repeats || dialect_.may_refuse()) return false;
  return !link_.reused() || !http::is_idempotent(x_.request.method_id);
}

// Of the attempt, as far as it came. A part of the request that is sent later took part in no wait.
void Attempt::note_moments() {
  expr::Attempt* const noted = open_attempt(x_);
  if (noted == nullptr) return;
  noted->peer = link_.stream().dialed();
  if (dialect_.sent_all()) noted->sent_at = asked_at_;
  if (dialect_.head_is_here()) noted->head_at = core_.now();
}

// The time that the client took to send its body is not the member's. A quick failure tells nothing
// of how quick the member is, a timeout does.
void Attempt::tell_latency(const Failure& failure) {
  const Duration took = dialect_.sent_all() ? core_.now() - asked_at_ : Duration::zero();
  MemberCells* const counters = cells();
  if (dialect_.sent_all() && !failure && counters != nullptr) counters->first_byte.observe(took);
  const bool answered = !failure && x_.response.status < 500;
  const bool stayed_silent = failure.party == Party::backend && failure.cause == Cause::timed_out;
  if (dialect_.sent_all() && (answered || stayed_silent)) {
    const auto ejected = plan_.balancer.observe_latency(plan_.lease, took, core_.now());
    if (!ejected.empty()) log_slow_members(x_, core_, plan_.balancer.name(), ejected);
  }
  if (!failure) plan_.balancer.answer_began(plan_.lease, core_.now(), x_.response.status, took);
}

ResendProof Attempt::proof_for_another(const Failure& failure) const {
  if (refused_ && !was_repeated_) return ResendProof::not_sent;
  const bool went_out = dialect_.marks_sent(failure);
  return was_repeated_ || went_out ? ResendProof::idempotent : proof_of(failure);
}

// httpd: a ping that fails is tried once more, on a new connection.
bool Attempt::may_knock_again(const Failure& failure) const {
  return dialect_.is_untold() && !knocks_again_ && failure.party == Party::backend &&
         body_.can_rewind();
}

void Attempt::knock_again() {
  knocks_again_ = true;
  account();
  if (link_.reused()) {
    link_.give_up_pooled();
  } else {
    link_.close();
  }
}

// A request that may have been acted on is never sent twice, unless it is idempotent and nothing
// came back. That the peer's system confirmed no byte proves nothing: a reset takes the
// confirmation with it.
bool Attempt::may_repeat(const Failure& failure) const {
  if (!body_.can_rewind()) return false;
  if (refused_) return may_ask_again();
  if (!link_.reused() || failure.cause != Cause::closed || dialect_.bytes_heard() != 0)
    return false;
  return http::is_idempotent(x_.request.method_id) || dialect_.bytes_sent() == 0;
}

// Who is refused beside others waits for room, which another connection may have; who is refused
// alone is not wanted.
bool Attempt::may_ask_again() const {
  const int refusals = refusals_ + (dialect_.lacked_room() ? 0 : 1);
  const bool in_time = refusals_in_all_ == 0 || core_.now() < refusals_end_;
  return refusals <= refusals_max && refusals_in_all_ < refusals_beside_others_max && in_time;
}

void Attempt::note_refusal() {
  if (refusals_in_all_++ == 0)
    refusals_end_ = core_.now() + plan_.times.acquire.value_or(plan_.times.backend);
  if (!dialect_.lacked_room()) ++refusals_;
}

void Attempt::note_repeat(const Failure& failure) {
  const bool went_out = !refused_ && dialect_.bytes_sent() != 0;
  was_repeated_ = was_repeated_ || went_out;
  const auto proof = went_out ? ResendProof::idempotent : ResendProof::not_sent;
  MemberCells* const counters = cells();
  if (counters != nullptr) counters->resends[static_cast<std::size_t>(proof)].add();
  proxy::note_repeat(x_, core_, failure, proof);
}

// httpd: where the member is asked for leave, what is here already is enough, as the client may
// wait for that leave, too. Who wants a length gets it all the same; then it is we who give the
// leave.
io::Task<Failure> Attempt::prefetch() {
  const bool keeps_all =
      dialect_.needs_length() && body_.framing().kind == http::BodyFraming::Kind::chunked;
  if (dialect_.is_probing()) {
    if (body_.fetch(prefetch_bytes) == RequestBody::Progress::failed) co_return body_.failure();
    if (!keeps_all || body_.received_all()) co_return Failure{};
    owes_continue_ = std::exchange(x_.request.expects_continue, false) && body_.received() == 0;
  }
  const Gathering enough{.bytes = keeps_all ? UINT64_MAX : prefetch_bytes,
                         .began = body_began_,
                         .asks = std::exchange(owes_continue_, false)};
  co_return co_await gather_body(x_, core_, client_, body_, enough);
}

Instant Attempt::first_deadline() const {
  const bool pings = dialect_.is_probing() && plan_.times.ping.has_value();
  return core_.now() +
         (pings ? std::min(*plan_.times.ping, plan_.times.backend) : plan_.times.backend);
}

// The member's time begins anew with each byte to or from it, and does not run while the client is
// waited for.
bool Attempt::approach_head(Instant& deadline, Failure& failure) {
  while (true) {
    blocked_ = {};
    const std::uint64_t moved_before = moved();
    auto failed = step_upload();
    const bool held = dialect_.holds_body();
    if (!failed && (dialect_.may_hear() || upload_broken_)) {
      failed = dialect_.read_head(link_.stream());
      blocked_.backend_read = true;
      if (dialect_.gives_way()) blocked_.others_turn = true;
    }
    if (failed) failure = std::move(*failed);
    if (failed || dialect_.head_is_here()) return true;
    if (moved() != moved_before && !dialect_.is_probing())
      deadline = core_.now() + plan_.times.backend;
    const bool body_may_go = held && !dialect_.holds_body();
    if (!body_may_go) return false;
  }
}

Instant Attempt::body_deadline() const {
  return proxy::body_deadline(x_, body_began_, body_.received(), core_.now());
}

io::Wait& Attempt::until_unblocked(io::Wait& wait) const {
  if (blocked_.client_read) wait.readable(client_.stream);
  if (blocked_.client_write) wait.writable(client_.stream);
  if (blocked_.backend_read) wait.readable(dialect_.heard_stream(link_.stream()));
  if (blocked_.backend_write) wait.writable(link_.stream());
  return wait;
}

Failure Attempt::timed_out() const {
  if (dialect_.is_probing()) return backend_failure(Cause::continue_timed_out);
  if (blocked_.client_read && !dialect_.sent_all()) return {Party::client, Cause::body_timed_out};
  if (blocked_.backend_write) return backend_failure(Cause::write_timed_out);
  Failure silence = backend_failure(Cause::timed_out);
  silence.status = dialect_.silence_status();
  silence.has_plain_page = silence.status != 0;
  return silence;
}

// Sends what there is of the request. A broken connection is not a failure yet: the answer may
// have been sent before it broke.
std::optional<Failure> Attempt::step_upload() {
  const std::uint64_t turn_began = dialect_.bytes_sent();
  while (!dialect_.sent_all() && !upload_broken_) {
    if (dialect_.bytes_sent() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    std::string_view data;
    bool last = !body_.framing().has_bytes() || body_.delivered_all();
    bool starved = false;
    if (!last && !dialect_.holds_body()) {
      const auto progress = body_.pull();
      if (progress == RequestBody::Progress::failed) return body_.failure();
      starved = progress == RequestBody::Progress::blocked;
      data = body_.pending();
      last = !starved && body_.pending_is_last();
    }
    const auto result = dialect_.send(link_.stream(), data, last);
    if (result.status == io::IoStatus::would_block) {
      blocked_.backend_write = true;
      return std::nullopt;
    }
    if (result.status != io::IoStatus::ok) {
      upload_broken_ = true;
      upload_error_ = result.error;
      return std::nullopt;
    }
    if (result.taken != 0) body_.take(result.taken);
    if (dialect_.sent_all()) asked_at_ = core_.now();
    if (dialect_.sent_all() || dialect_.in_debt()) continue;
    if (dialect_.holds_body()) return std::nullopt;
    if (!body_.pending().empty()) continue;
    if (starved) {
      blocked_.client_read = true;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

Attempt::~Attempt() {
  account();
  x_.bytes.sent += static_cast<std::int64_t>(download_.bytes_written());
  x_.bytes.body_sent += static_cast<std::int64_t>(download_.body_bytes_written());
}

void Attempt::account() {
  balance::Member& member = plan_.lease.member();
  member.add_transferred(static_cast<std::int64_t>(dialect_.take_transferred()));
  const std::uint64_t answer = answer_ != nullptr ? answer_->received() : 0;
  member.add_read(static_cast<std::int64_t>(answer - std::exchange(accounted_answer_, answer)));
}

}  // namespace steelyard::proxy
