#include <algorithm>

#include "http/status.hpp"
#include "io/next_turn.hpp"
#include "proxy/backend/http1_attempt.hpp"
#include "proxy/limits.hpp"

// Passing a member's answer on to the client.

namespace steelyard::proxy {

namespace {

using http::FieldId;

Failure client_gone() { return {Party::client, Cause::gone, true}; }
}  // namespace

// An answer that only the connection's end would complete must not look complete.
Failure Http1Attempt::cut_short() {
  if (reply_.ends_by_closing && x_.head_sent) client_.stream.reset();
  return {Party::backend, Cause::cut_short, true, "the answer broke off"};
}

bool Http1Attempt::wants_override() const {
  const auto& override_rule = x_.settings->error_override;
  if (!override_rule || !override_rule->on) return false;
  if (override_rule->statuses.empty()) return x_.response.status >= 400;
  return std::ranges::find(override_rule->statuses, x_.response.status) !=
         override_rule->statuses.end();
}

io::Task<Failure> Http1Attempt::relay() {
  Workspace& workspace = client_.workspace;
  response_.emplace(ResponseBody::Sources{*connection_->stream, workspace.backend_head,
                                          workspace.backend_body, x_.response_trailers, x_.arena},
                    x_.response.body);
  if (x_.response.status == 101) co_return co_await tunnel();
  if (wants_override()) {
    // httpd: the member's own page is not read, so its connection is of no more use.
    overridden_ = true;
    connection_.reset();
    co_return Failure{};
  }
  // A request body that will not be read to its end leaves the client's connection unusable.
  if (!body_.received_all()) x_.keep_client = false;
  if (!adopt_backend_head(x_, core_)) {
    connection_.reset();
    co_return Failure{Party::none, Cause::bad_message, true, {}, 500};
  }
  // An empty body that is known to be over has a length, whatever its framing was (httpd).
  const bool is_empty = response_->pull() == ResponseBody::Progress::finished;
  reply_ = frame_reply(x_, is_empty);
  write_reply_head(x_, core_, reply_, workspace.to_client);
  download_.begin(workspace.to_client.view(), reply_.framing);
  Instant quiet_since = core_.now();
  while (true) {
    blocked_ = {};
    const std::uint64_t moved_before = download_.bytes_written() + upload_.bytes_written();
    // Going on with the request body only makes sense while the member listens.
    if (!upload_done_ && !upload_broken_ && !response_->finished()) {
      if (step_upload()) upload_broken_ = true;
    }
    if (auto failure = step_download()) {
      pipe_.reset();
      connection_.reset();
      co_return std::move(*failure);
    }
    // What lies in a pipe needs the member no more.
    if (response_->finished() && connection_) finish_backend();
    if (download_.done() && !connection_) co_return Failure{};
    if (download_.bytes_written() + upload_.bytes_written() != moved_before)
      quiet_since = core_.now();
    if (blocked_.others_turn) {
      co_await io::NextTurn(core_.parts.loop);
      continue;
    }
    if (!connection_) blocked_.backend_read = blocked_.backend_write = false;
    io::Wait wait(client_.timer, relay_deadline(quiet_since));
    if (co_await until_unblocked(wait) == io::Woken::ready) continue;
    pipe_.reset();
    connection_.reset();
    if (blocked_.client_write || blocked_.client_read) co_return client_gone();
    co_return cut_short();
  }
}

// Whose time runs: the client's while it is waited for, else the member's.
Instant Http1Attempt::relay_deadline(Instant quiet_since) const {
  const Instant client = quiet_since + plan_.times.client;
  if (blocked_.client_read)
    return blocked_.client_write ? std::min(client, body_deadline()) : body_deadline();
  return blocked_.client_write ? client : quiet_since + plan_.times.backend;
}

// Moves what can be moved from the member to the client.
std::optional<Failure> Http1Attempt::step_download() {
  const std::uint64_t turn_began = download_.bytes_written();
  while (!download_.done()) {
    if (download_.bytes_written() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    std::string_view data;
    bool starved = false;
    // The pipe may hold the end of an answer that was received whole.
    if (reply_.has_body && (pipe_ != nullptr || !response_->finished())) {
      if (pipe_ != nullptr || response_->splice_ahead() >= splice_bytes_min) {
        if (auto result = step_splice(); pipe_ != nullptr) return result;
      }
      const auto progress = response_->pull();
      if (progress == ResponseBody::Progress::cut_short) return cut_short();
      starved = progress == ResponseBody::Progress::blocked;
      data = response_->pending();
    }
    const bool last = !reply_.has_body || (!starved && response_->pending_is_last());
    if (x_.first_byte_at == Instant{}) x_.first_byte_at = core_.now();
    const auto result = download_.write(client_.stream, data, last);
    if (result.status == io::IoStatus::would_block) {
      blocked_.client_write = true;
      return std::nullopt;
    }
    if (result.status != io::IoStatus::ok) return client_gone();
    x_.head_sent = true;
    if (result.taken != 0) response_->take(result.taken);
    if (starved && !download_.in_debt()) {
      blocked_.backend_read = true;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// Large bodies between two plain sockets stay in the kernel.
std::optional<Failure> Http1Attempt::step_splice() {
  if (download_.in_debt() || reply_.framing != Framing::plain) return std::nullopt;
  if (!pipe_) pipe_ = core_.parts.splicer.borrow(*connection_->stream, client_.stream);
  if (!pipe_) return std::nullopt;
  const std::uint64_t turn_began = download_.bytes_written();
  while (true) {
    if (download_.bytes_written() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    const auto filled = response_->splice_ahead() == 0
                            ? io::IoResult{io::IoStatus::would_block}
                            : pipe_->fill(*connection_->stream, response_->splice_ahead());
    if (filled.status == io::IoStatus::ok) response_->spliced(filled.bytes);
    if (filled.status == io::IoStatus::failed || filled.status == io::IoStatus::end)
      return cut_short();
    if (pipe_->pending() == 0) {
      if (!response_->finished()) {
        blocked_.backend_read = true;
        return std::nullopt;
      }
      break;
    }
    const auto drained = pipe_->drain(client_.stream);
    if (drained.status == io::IoStatus::failed) return client_gone();
    if (drained.status == io::IoStatus::ok) {
      download_.count_body(drained.bytes);
    } else {
      blocked_.client_write = true;
      return std::nullopt;
    }
  }
  core_.parts.splicer.give_back(std::move(pipe_));
  return std::nullopt;
}

// The answer was received whole: the connection is free before the client has taken everything.
void Http1Attempt::finish_backend() {
  account();
  const bool clean = upload_done_ && x_.response.may_reuse && !response_->has_surplus() &&
                     !response_->is_until_close() && plan_.reuses && pool_ != nullptr &&
                     connection_->stream->settle() && !x_.has_switch("proxy-nokeepalive") &&
                     !x_.has_switch("force-proxy-request-1.0");
  // Another shard's exchange waits for a slot: the connection makes room for it.
  if (!clean || connection_->slot.is_wanted()) {
    connection_.reset();
    return;
  }
  const balance::PoolSpec& pool = plan_.lease.spec().pool;
  const auto soft_max = static_cast<std::size_t>(
      pool.connections_soft_max.value_or(pool.connections_max.value_or(1 << 20)));
  const Duration idle_max = pool.idle_max.value_or(std::chrono::seconds(0));
  pool_->put(std::move(connection_), core_.now(), soft_max, idle_max);
}

}  // namespace steelyard::proxy
