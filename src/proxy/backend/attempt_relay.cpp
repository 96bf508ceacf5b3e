#include <algorithm>

#include "http/status.hpp"
#include "io/next_turn.hpp"
#include "proxy/backend/attempt.hpp"
#include "proxy/backend/tunnel.hpp"
#include "proxy/body_deadline.hpp"
#include "proxy/ending.hpp"
#include "proxy/internal_redirect.hpp"
#include "proxy/limits.hpp"

// Passing a member's answer on to the client.

namespace steelyard::proxy {

namespace {

using http::FieldId;

Failure client_gone() { return {Party::client, Cause::gone, true}; }

bool is_overridden(const config::PathSettings& settings, int status) {
  const auto& rule = settings.error_override;
  if (!rule || !rule->on) return false;
  if (rule->statuses.empty()) return status >= 400 && status < 600;
  return std::ranges::find(rule->statuses, status) != rule->statuses.end();
}

}  // namespace

// An answer that only the connection's end would complete must not look complete.
Failure Attempt::cut_short(std::string how) {
  if (reply_.ends_by_closing && x_.head_sent) client_.stream.reset();
  return {Party::backend, Cause::cut_short, true, std::move(how)};
}

// The error that an ErrorDocument of a member stands for; 0: the member's own status counts.
int Attempt::kept_status() const {
  const bool has_body =
      x_.request.method_id != http::Method::head && !http::has_no_body(x_.response.status);
  if (!x_.redirected || !has_body || !dialect_.keeps_error_status()) return 0;
  return is_overridden(*x_.settings, x_.status) ? x_.status : 0;
}

// False: a Header rule made what no field can hold.
bool Attempt::adopt_head() {
  (void)answer_->pull();
  Adopted adopted =
      adopt_backend_head(x_, core_, {dialect_.speaks_http(), kept_status(), *answer_});
  if (adopted.deflater != nullptr) {
    compressed_ =
        std::make_unique<CompressedBody>(x_, core_, *answer_, std::move(adopted.deflater));
    answer_ = compressed_.get();
    (void)answer_->pull();
  }
  return adopted.is_clean;
}

io::Task<Failure> Attempt::relay() {
  Workspace& workspace = client_.workspace;
  answer_ = &dialect_.begin_answer(link_.stream());
  if (!plan_.repeats) body_.stop_keeping();  // whoever answers is not asked again
  if (x_.response.status == 101) {
    begin_tunnel();
    co_return Failure{};
  }
  if (awaits_tunnel(x_) && http::is_success(x_.response.status)) {
    // It would tell the client that its WebSocket, or the tunnel it asked for, is open (httpd:
    // 502).
    link_.close();
    co_return Failure{Party::none, Cause::bad_message, true, "no tunnel was made", 502};
  }
  if (is_overridden(*x_.settings, x_.response.status)) {
    // httpd: the member's own page is not read, so its connection is of no more use.
    overridden_ = true;
    link_.close();
    co_return Failure{};
  }
  // A request body that will not be read to its end leaves the client's connection unusable.
  if (!body_.received_all()) x_.keep_client = false;
  if (!adopt_head()) {
    link_.close();
    co_return Failure{Party::none, Cause::bad_message, true, {}, 500};
  }
  if (!dialect_.upgrade().empty() && !speaks_http2(x_)) {
    x_.normal.add("Connection", "Upgrade");
    x_.normal.add("Upgrade", dialect_.upgrade());
  }
  const http::BodyFraming framing = compressed_ ? compressed_->framing() : x_.response.body;
  reply_ = frame_reply(x_, *answer_, framing);
  write_reply_head(x_, core_, reply_, workspace.to_client);
  download_.begin(workspace.to_client.view(), reply_.framing);
  Instant quiet_since = core_.now();
  while (true) {
    blocked_ = {};
    const std::uint64_t moved_before = download_.bytes_written() + dialect_.bytes_sent();
    // Going on with the request body only makes sense while the member listens.
    if (!dialect_.sent_all() && !upload_broken_ && !answer_->received_whole()) {
      if (step_upload()) upload_broken_ = true;
    }
    const bool held = dialect_.holds_body();
    if (auto failure = step_download()) {
      pipe_.reset();
      link_.close();
      co_return std::move(*failure);
    }
    // What lies in a pipe needs the member no more.
    if (answer_->received_whole() && link_.is_open()) finish_backend();
    if (download_.done() && !link_.is_open()) co_return Failure{};
    if (download_.bytes_written() + dialect_.bytes_sent() != moved_before)
      quiet_since = core_.now();
    const bool body_may_go = held && !dialect_.holds_body() && link_.is_open();
    if (body_may_go) continue;
    if (blocked_.others_turn && core_.now() < relay_deadline(quiet_since)) {
      co_await io::NextTurn(core_.parts.loop);
      continue;
    }
    if (!link_.is_open()) blocked_.backend_read = blocked_.backend_write = false;
    io::Wait wait(client_.timer, relay_deadline(quiet_since));
    if (!blocked_.others_turn && co_await until_unblocked(wait) == io::Woken::ready) continue;
    pipe_.reset();
    link_.close();
    if (blocked_.client_write || blocked_.client_read) co_return client_gone();
    co_return cut_short(std::string(time_is_up));
  }
}

// Whose time runs: the client's while it is waited for, else the member's.
Instant Attempt::relay_deadline(Instant quiet_since) const {
  const Instant client = quiet_since + client_patience(x_);
  if (blocked_.client_read)
    return blocked_.client_write ? std::min(client, body_deadline()) : body_deadline();
  return blocked_.client_write ? client : quiet_since + plan_.times.backend;
}

// Moves what can be moved from the member to the client.
std::optional<Failure> Attempt::step_download() {
  const std::uint64_t turn_began = download_.bytes_written();
  while (!download_.done()) {
    if (download_.bytes_written() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    std::string_view data;
    bool starved = false;
    // The pipe may hold the end of an answer that was received whole.
    if (reply_.has_body && (pipe_ != nullptr || !answer_->finished())) {
      if (pipe_ != nullptr || answer_->splice_ahead() >= splice_bytes_min) {
        if (auto result = step_splice(); pipe_ != nullptr) return result;
      }
      const auto progress = answer_->pull();
      if (progress == ReplyBody::Progress::cut_short)
        return cut_short(ending_words(answer_->ending(), closed_midway));
      const bool gives_way = progress == ReplyBody::Progress::others_turn;
      if (gives_way) blocked_.others_turn = true;
      starved = gives_way || progress == ReplyBody::Progress::blocked;
      data = answer_->pending();
    }
    const bool last = !reply_.has_body || (!starved && answer_->pending_is_last());
    if (x_.first_byte_at == Instant{}) x_.first_byte_at = core_.now();
    const auto result = download_.write(client_.stream, data, last);
    if (result.status == io::IoStatus::would_block) {
      blocked_.client_write = true;
      return std::nullopt;
    }
    if (result.status != io::IoStatus::ok) return client_gone();
    if (plan_.repeats) body_.stop_keeping();
    x_.head_sent = true;
    if (result.taken != 0) answer_->take(result.taken);
    if (starved && !download_.in_debt()) {
      blocked_.backend_read = true;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// Large bodies between two plain sockets stay in the kernel.
std::optional<Failure> Attempt::step_splice() {
  if (download_.in_debt() || reply_.framing != Framing::plain) return std::nullopt;
  if (!pipe_) pipe_ = core_.parts.splicer.borrow(link_.stream(), client_.stream);
  if (!pipe_) return std::nullopt;
  const std::uint64_t turn_began = download_.bytes_written();
  while (true) {
    if (download_.bytes_written() - turn_began >= relay_bytes_a_turn) {
      blocked_.others_turn = true;
      return std::nullopt;
    }
    const auto filled = answer_->splice_ahead() == 0
                            ? io::IoResult{io::IoStatus::would_block}
                            : pipe_->fill(link_.stream(), answer_->splice_ahead());
    if (filled.status == io::IoStatus::ok) answer_->spliced(filled.bytes);
    if (filled.status == io::IoStatus::failed || filled.status == io::IoStatus::end)
      return cut_short(ending_words(filled, closed_midway));
    if (pipe_->pending() == 0) {
      if (!answer_->finished()) {
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
void Attempt::finish_backend() {
  account();
  if (dialect_.may_reuse()) {
    link_.give_back();
  } else {
    link_.close();
  }
}

}  // namespace steelyard::proxy
