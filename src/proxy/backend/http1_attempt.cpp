#include "proxy/backend/http1_attempt.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "http/status.hpp"
#include "http/token_list.hpp"
#include "io/next_turn.hpp"
#include "proxy/body_deadline.hpp"
#include "proxy/body_gathering.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/limits.hpp"
#include "proxy/timeline.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

http::ResponseLimits limits_for(const AttemptPlan& plan) {
  http::ResponseLimits limits;
  // httpd counts the end of the text in.
  constexpr int usual = 8192;
  const int wanted = plan.lease.spec().response_field_bytes.value_or(0);
  limits.field_bytes_max = static_cast<std::size_t>(wanted > 0 ? wanted : usual) - 1;
  return limits;
}

Failure backend_failure(Cause cause, std::string detail = {}) {
  return {Party::backend, cause, false, std::move(detail)};
}

Failure bad_head(const http::ResponseFault& fault) {
  Failure failure = backend_failure(Cause::bad_message);
  failure.answer_began = true;
  failure.status = fault.status;
  // httpd says why on its page for broken status lines and lengths, not for broken fields.
  using Code = http::ResponseFaultCode;
  const bool about_field = fault.code == Code::no_colon || fault.status == 500 ||
                           fault.code == Code::bad_content_length ||
                           fault.code == Code::field_too_long ||
                           fault.code == Code::bad_transfer_coding;
  if (!about_field) failure.detail = describe(fault.code);
  return failure;
}

}  // namespace

Http1Attempt::Http1Attempt(Exchange& x, Shard::Core& core, const ClientSide& client,
                           RequestBody& body, const AttemptPlan& plan)
    : x_(x),
      core_(core),
      client_(client),
      body_(body),
      plan_(plan),
      reader_(limits_for(plan), x.server->proxy.bad_header) {}

// The protocols that the client wants to change to and the member may (upgrade=, ws://).
std::string_view Http1Attempt::wanted_upgrade() const {
  const balance::MemberSpec& spec = plan_.lease.spec();
  const std::string_view allowed =
      spec.upgrade.empty() && spec.scheme == "ws" ? "WebSocket" : std::string_view(spec.upgrade);
  if (allowed.empty() || !x_.request.connection.upgrade) return {};
  const auto wanted = x_.request.fields.value(FieldId::upgrade);
  if (!wanted || wanted->empty() || equals_ignoring_case(allowed, "none")) return {};
  if (allowed == "*" || equals_ignoring_case(allowed, "any")) return *wanted;
  for (const std::string_view protocol : http::tokens(*wanted))
    if (equals_ignoring_case(protocol, allowed)) return *wanted;
  return {};
}

BodyPlan Http1Attempt::plan_body() const {
  BodyPlan plan;
  plan.expects_continue = waits_for_continue_ || passes_expect_;
  if (!body_.announced()) return plan;
  if (body_.framing().kind == http::BodyFraming::Kind::length) {
    plan.kind = BodyPlan::Kind::length;
    plan.length = body_.framing().length;
  } else if (body_.received_all()) {
    plan.kind = BodyPlan::Kind::length;
    plan.length = body_.received();
  } else {
    plan.kind = BodyPlan::Kind::chunked;
  }
  return plan;
}

void Http1Attempt::begin_request() {
  upgrade_ = wanted_upgrade();
  RequestRules rules;
  rules.version_1_0 = x_.has_switch("force-proxy-request-1.0");
  rules.keeps_connection = plan_.reuses && !x_.has_switch("proxy-nokeepalive");
  rules.upgrade = upgrade_;
  rules.via = via_text(x_);
  const BodyPlan plan = plan_body();
  http::HeadText& head = client_.workspace.to_backend;
  head.clear();
  write_request_head(x_, plan_.target, plan, rules, head);
  upload_.begin(head.view(),
                plan.kind == BodyPlan::Kind::chunked ? Framing::chunked : Framing::plain);
  upload_done_ = upload_broken_ = final_head_read_ = false;
  heard_bytes_ = 0;
  x_.response.clear();
  reader_.reset();
  client_.workspace.backend_head.clear();
  client_.workspace.backend_body.clear();
}

io::Task<Failure> Http1Attempt::ask() {
  const bool older = x_.has_switch("force-proxy-request-1.0");
  const bool client_expects = x_.request.expects_continue;
  passes_expect_ = !older && client_expects && x_.settings->continue_100.value_or(true);
  waits_for_continue_ =
      !older && body_.framing().has_bytes() && (passes_expect_ || plan_.times.ping.has_value());
  owes_continue_ = client_expects && !passes_expect_ && body_.received() == 0;
  body_began_ = core_.now();
  if (!waits_for_continue_ && body_.announced()) {
    Failure failure = co_await prefetch();
    if (failure) co_return failure;
  }
  while (true) {
    Failure failure;
    if (!take_pooled()) failure = co_await connect();
    if (failure) co_return failure;
    if (!plan_.balancer.connected(plan_.lease)) {
      // Another exchange found out meanwhile (httpd: no connection is used then, even a good one).
      connection_.reset();
      co_return backend_failure(Cause::unusable);
    }
    // Only what may_repeat() allows needs the body again once it is on its way.
    if (!reused_ || !http::is_idempotent(x_.request.method_id)) body_.stop_keeping();
    begin_request();
    Instant deadline = first_deadline();
    while (!approach_head(deadline, failure)) {
      if (blocked_.others_turn) {
        co_await io::NextTurn(core_.parts.loop);
        continue;
      }
      const bool starved = blocked_.client_read && !upload_done_;
      io::Wait wait(client_.timer, starved ? body_deadline() : deadline);
      if (co_await until_unblocked(wait) == io::Woken::timed_out) {
        failure = timed_out();
        break;
      }
      if (starved) deadline = core_.now() + plan_.times.backend;
    }
    tell_latency(failure);
    note_moments();
    if (!failure) {
      plan_.balancer.answer_began(plan_.lease, core_.now(), x_.response.status);
      co_return Failure{};
    }
    if (!may_repeat(failure)) {
      connection_.reset();
      co_return failure;
    }
    // The member had closed a connection that lay in the pool; a new one shows whether it lives.
    note_repeat(failure);
    account();
    connection_.reset();
    pool_->close_all();
    reused_ = false;
    body_.rewind();
    if (body_.failure()) co_return body_.failure();
  }
}

// Of the attempt, as far as it came. A part of the request that is sent later took part in no wait.
void Http1Attempt::note_moments() {
  expr::Attempt* const noted = open_attempt(x_);
  if (noted == nullptr) return;
  noted->peer = connection_->stream->dialed();
  if (upload_done_) noted->sent_at = asked_at_;
  if (final_head_read_) noted->head_at = core_.now();
}

// The time that the client took to send its body is not the member's. A quick failure tells nothing
// of how quick the member is, a timeout does.
void Http1Attempt::tell_latency(const Failure& failure) {
  if (!upload_done_) return;
  if (!failure && pool_ != nullptr) pool_->cells()->first_byte.observe(core_.now() - asked_at_);
  const bool answered = !failure && x_.response.status < 500;
  const bool stayed_silent = failure.party == Party::backend && failure.cause == Cause::timed_out;
  if (!answered && !stayed_silent) return;
  const auto ejected =
      plan_.balancer.observe_latency(plan_.lease, core_.now() - asked_at_, core_.now());
  if (!ejected.empty()) log_slow_members(x_, core_, plan_.balancer.name(), ejected);
}

// A request that may have been acted on is never sent twice, unless it is idempotent and nothing
// came back. That the peer's system confirmed no byte proves nothing: a reset takes the
// confirmation with it.
bool Http1Attempt::may_repeat(const Failure& failure) const {
  if (!reused_ || failure.cause != Cause::closed || heard_bytes_ != 0 || !body_.can_rewind())
    return false;
  return http::is_idempotent(x_.request.method_id) || upload_.bytes_written() == 0;
}

void Http1Attempt::note_repeat(const Failure& failure) {
  const bool went_out = upload_.bytes_written() != 0;
  was_repeated_ = was_repeated_ || went_out;
  const auto proof = went_out ? ResendProof::idempotent : ResendProof::not_sent;
  pool_->cells()->resends[static_cast<std::size_t>(proof)].add();
  proxy::note_repeat(x_, core_, failure, proof);
}

io::Task<Failure> Http1Attempt::prefetch() {
  // Members that want a length get one: the whole body is kept first.
  const bool needs_length = x_.has_switch("force-proxy-request-1.0") ||
                            (x_.has_switch("proxy-sendcl") && !x_.has_switch("proxy-sendchunks") &&
                             !x_.has_switch("proxy-sendchunked"));
  const bool keeps_all = needs_length && body_.framing().kind == http::BodyFraming::Kind::chunked;
  const Gathering enough{.bytes = keeps_all ? UINT64_MAX : prefetch_bytes,
                         .began = body_began_,
                         .asks = std::exchange(owes_continue_, false)};
  return gather_body(x_, core_, client_, body_, enough);
}

Instant Http1Attempt::first_deadline() const {
  const bool pings = waits_for_continue_ && plan_.times.ping.has_value();
  return core_.now() +
         (pings ? std::min(*plan_.times.ping, plan_.times.backend) : plan_.times.backend);
}

// The member's time begins anew with each byte to or from it, and does not run while the client is
// waited for.
bool Http1Attempt::approach_head(Instant& deadline, Failure& failure) {
  while (true) {
    blocked_ = {};
    const std::uint64_t moved_before = moved();
    const bool waited = waits_for_continue_;
    auto failed = step_upload();
    if (!failed) failed = read_head();
    if (failed) failure = std::move(*failed);
    if (failed || final_head_read_) return true;
    if (moved() != moved_before && !waits_for_continue_)
      deadline = core_.now() + plan_.times.backend;
    const bool body_may_go = waited && !waits_for_continue_;
    if (!body_may_go) return false;
  }
}

Instant Http1Attempt::body_deadline() const {
  return proxy::body_deadline(x_.server->client, body_began_, body_.received(), core_.now());
}

io::Wait& Http1Attempt::until_unblocked(io::Wait& wait) const {
  if (blocked_.client_read) wait.readable(client_.stream);
  if (blocked_.client_write) wait.writable(client_.stream);
  if (blocked_.backend_read) wait.readable(*connection_->stream);
  if (blocked_.backend_write) wait.writable(*connection_->stream);
  return wait;
}

Failure Http1Attempt::timed_out() const {
  if (waits_for_continue_) return backend_failure(Cause::continue_timed_out);
  if (blocked_.client_read && !upload_done_) return {Party::client, Cause::body_timed_out};
  if (blocked_.backend_write) return backend_failure(Cause::write_timed_out);
  return backend_failure(Cause::timed_out);
}

// Sends what there is of the request. A broken connection is not a failure yet: the answer may
// have been sent before it broke.
std::optional<Failure> Http1Attempt::step_upload() {
  io::Stream& backend = *connection_->stream;
  const std::uint64_t turn_began = upload_.bytes_written();
  while (!upload_done_ && !upload_broken_) {
    if (upload_.bytes_written() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    std::string_view data;
    bool last = !body_.framing().has_bytes() || body_.delivered_all();
    bool starved = false;
    if (!last && !waits_for_continue_) {
      const auto progress = body_.pull();
      if (progress == RequestBody::Progress::failed) return body_.failure();
      starved = progress == RequestBody::Progress::blocked;
      data = body_.pending();
      last = !starved && body_.pending_is_last();
    }
    const auto result = upload_.write(backend, data, last);
    if (result.status == io::IoStatus::would_block) {
      blocked_.backend_write = true;
      return std::nullopt;
    }
    if (result.status != io::IoStatus::ok) {
      upload_broken_ = true;
      return std::nullopt;
    }
    if (result.taken != 0) body_.take(result.taken);
    upload_done_ = upload_.done();
    if (upload_done_) asked_at_ = core_.now();
    if (upload_done_ || upload_.in_debt() || !body_.pending().empty()) continue;
    if (waits_for_continue_) return std::nullopt;
    if (starved) {
      blocked_.client_read = true;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Failure> Http1Attempt::read_head() {
  if (!upload_.head_written() && !upload_broken_) return std::nullopt;
  ReadBuffer& buffer = client_.workspace.backend_head;
  while (true) {
    if (!buffer.empty()) {
      const auto progress =
          reader_.read(buffer.data(), x_.request.method_id, x_.response, x_.arena);
      if (!progress) {
        return bad_head(progress.error());
      }
      if (*progress != http::ResponseProgress::incomplete) {
        if (auto failure = judge_head(*progress)) return failure;
        if (final_head_read_) return std::nullopt;
        continue;  // an interim answer was dealt with; perhaps the next head is here already
      }
    }
    if (!buffer.make_room(head_buffer_bytes, head_buffer_bytes_max))
      return backend_failure(Cause::bad_message, "response head too large");
    const io::IoResult result = connection_->stream->read(buffer.room());
    if (result.status == io::IoStatus::would_block) {
      blocked_.backend_read = true;
      return std::nullopt;
    }
    if (result.status != io::IoStatus::ok) {
      Failure failure = backend_failure(Cause::closed);
      failure.answer_began = heard_bytes_ != 0;
      return failure;
    }
    heard_bytes_ += result.bytes;
    buffer.filled(result.bytes);
  }
}

std::optional<Failure> Http1Attempt::judge_head(http::ResponseProgress progress) {
  ReadBuffer& buffer = client_.workspace.backend_head;
  // httpd counts the first line of each answer, interim ones too, and then only body bytes.
  if (progress == http::ResponseProgress::complete)
    plan_.lease.member().add_read(static_cast<std::int64_t>(x_.response.line.size()));
  if (progress == http::ResponseProgress::no_status_line) {
    // httpd: whatever comes is the body of a 200; the end of its first line is lost.
    buffer.cut_first_line_end();
    x_.response.clear();
    x_.response.status = 200;
    x_.response.reason = "OK";
    x_.response.body.kind = http::BodyFraming::Kind::until_close;
    final_head_read_ = true;
    return std::nullopt;
  }
  buffer.consume(x_.response.head_bytes);
  if (x_.response.status == 101) {
    const auto upgrade = x_.response.fields.value(FieldId::upgrade);
    if (!upgrade_.empty() && upgrade && equals_ignoring_case(*upgrade, upgrade_)) {
      final_head_read_ = true;
      return std::nullopt;
    }
    return backend_failure(
        Cause::bad_message,
        "Unexpected Upgrade: " + std::string(upgrade.value_or("n/a")) + " (expecting " +
            std::string(upgrade_.empty() ? std::string_view("n/a") : upgrade_) + ")");
  }
  if (http::is_interim(x_.response.status)) return take_interim();
  final_head_read_ = true;
  return std::nullopt;
}

std::optional<Failure> Http1Attempt::take_interim() {
  const bool is_continue = x_.response.status == 100;
  if (is_continue) waits_for_continue_ = false;
  const auto policy = x_.environment.find("proxy-interim-response");
  const bool suppressed = policy && !equals_ignoring_case(*policy, "RFC");
  const bool wanted = is_continue ? x_.request.expects_continue : true;
  if (wanted && !suppressed && x_.request.version.minor >= 1) {
    http::HeadText& text = client_.workspace.to_client;
    write_interim_head(x_, text);
    if (!tell_client(x_, client_, text.view())) return Failure{Party::client, Cause::gone, true};
    if (is_continue) x_.request.expects_continue = false;  // it has been told
  }
  if (++interims_ > interim_responses_max) {
    return backend_failure(Cause::bad_message,
                           "Too many (10) interim responses from origin server");
  }
  x_.response.clear();
  reader_.reset();
  return std::nullopt;
}

Http1Attempt::~Http1Attempt() {
  account();
  x_.bytes.sent += static_cast<std::int64_t>(download_.bytes_written());
  x_.bytes.body_sent += static_cast<std::int64_t>(download_.body_bytes_written());
}

void Http1Attempt::account() {
  plan_.lease.member().add_transferred(static_cast<std::int64_t>(upload_.bytes_written()));
  upload_.begin({}, Framing::plain);
  const std::uint64_t answer = response_ ? response_->received() : 0;
  plan_.lease.member().add_read(
      static_cast<std::int64_t>(answer - std::exchange(accounted_answer_, answer)));
}

}  // namespace steelyard::proxy
