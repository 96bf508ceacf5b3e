#include "proxy/request_body.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

using Kind = http::BodyFraming::Kind;

RequestBody::RequestBody(const Sources& sources, http::BodyFraming framing, const Limits& limits,
                         const OpenSpillFile& open_spill_file)
    : sources_(sources), framing_(framing), limits_(limits), open_spill_file_(open_spill_file) {
  sources_.kept.clear();
  left_ = framing.length;
  live_end_ = !framing.has_bytes();
  if (framing.kind == Kind::chunked)
    chunks_.collect_trailers(sources.trailers.write(), sources.arena);
}

RequestBody::~RequestBody() {
  if (limits_.kept_in_files != nullptr) *limits_.kept_in_files -= kept_file_;
}

RequestBody::Progress RequestBody::fail(Cause cause, Party party, std::string detail) {
  failure_ = {party, cause, false, std::move(detail)};
  pending_ = {};
  return Progress::failed;
}

RequestBody::Progress RequestBody::pull() {
  if (failure_) return Progress::failed;
  if (!pending_.empty()) return Progress::data;
  if (offset_ < kept_bytes()) return pull_kept();
  if (live_end_) return Progress::finished;
  return pull_live();
}

RequestBody::Progress RequestBody::pull_kept() {
  pending_buffer_ = nullptr;
  if (offset_ < kept_memory_) {
    pending_ = std::string_view(sources_.kept).substr(offset_);
    return Progress::data;
  }
  file_window_.resize(relay_buffer_bytes);
  const std::size_t got = file_->read(offset_ - kept_memory_, file_window_);
  if (got == 0) return fail(Cause::bad_body, Party::none, "the kept request body cannot be read");
  pending_ = std::string_view(file_window_).substr(0, got);
  return Progress::data;
}

RequestBody::Progress RequestBody::pull_live() {
  while (true) {
    if (!sources_.head.empty()) {
      const Progress progress = decode(sources_.head);
      if (progress != Progress::blocked) return progress;
      continue;
    }
    if (!sources_.extra.empty()) {
      const Progress progress = decode(sources_.extra);
      if (progress != Progress::blocked) return progress;
      continue;
    }
    const std::size_t most =
        framing_.kind == Kind::length
            ? static_cast<std::size_t>(std::min<std::uint64_t>(left_, relay_buffer_bytes))
            : relay_buffer_bytes;
    const Progress progress = read_client(most);
    if (progress != Progress::data) return progress;
  }
}

RequestBody::Progress RequestBody::read_client(std::size_t room_max) {
  sources_.extra.make_room(relay_buffer_bytes, relay_buffer_bytes);
  const auto room = sources_.extra.room();
  const io::IoResult result = sources_.client.read(room.first(std::min(room.size(), room_max)));
  switch (result.status) {
    case io::IoStatus::ok:
      sources_.extra.filled(result.bytes);
      return Progress::data;
    case io::IoStatus::would_block:
      return Progress::blocked;
    case io::IoStatus::end:
      return fail(Cause::bad_body, Party::client, "the client ended its body too early");
    case io::IoStatus::failed:
      break;
  }
  return fail(Cause::gone, Party::client, "the client left before its request body was complete");
}

// Turns bytes of `buffer` into pending ones; blocked: they held framing only.
RequestBody::Progress RequestBody::decode(ReadBuffer& buffer) {
  pending_buffer_ = &buffer;
  if (framing_.kind == Kind::length) {
    pending_ = buffer.data().substr(0, left_);
    left_ -= pending_.size();
    wire_bytes_ += pending_.size();
    live_end_ = left_ == 0;
  } else {
    const auto step = chunks_.next(buffer.data());
    if (!step) {
      return fail(Cause::bad_body, Party::client,
                  "malformed chunked body: " + std::string(describe(step.error().code)));
    }
    wire_bytes_ += step->consumed;
    buffer.consume(step->consumed - step->data.size());
    pending_ = step->data;
    live_end_ = step->finished;
  }
  received_ += pending_.size();
  if (!pending_.empty()) return Progress::data;
  return live_end_ ? Progress::finished : Progress::blocked;
}

void RequestBody::take(std::size_t bytes) {
  CHECK(bytes <= pending_.size());
  offset_ += bytes;
  if (pending_buffer_ != nullptr) {
    if (keeping_ && !keep(pending_.substr(0, bytes))) stop_keeping();
    pending_buffer_->consume(bytes);
  }
  pending_.remove_prefix(bytes);
}

RequestBody::Progress RequestBody::fetch(std::uint64_t wanted) {
  CHECK(pending_.empty());
  while (received_ < wanted && !live_end_) {
    const Progress progress = pull_live();
    if (progress == Progress::failed || progress == Progress::blocked) return progress;
    if (pending_.empty()) break;
    if (!keep(pending_)) {
      return fail(Cause::body_too_large, Party::none, "the request body cannot be kept");
    }
    pending_buffer_->consume(pending_.size());
    pending_ = {};
  }
  return live_end_ ? Progress::finished : Progress::data;
}

bool RequestBody::keep(std::string_view bytes) {
  if (kept_file_ == 0 && kept_memory_ + bytes.size() <= limits_.kept_memory_bytes) {
    sources_.kept.append(bytes);
    kept_memory_ += bytes.size();
    return true;
  }
  if (limits_.kept_in_files == nullptr || kept_file_ + bytes.size() > limits_.kept_file_bytes ||
      *limits_.kept_in_files + bytes.size() > kept_in_files_max)
    return false;
  if (!file_ && open_spill_file_) file_ = open_spill_file_();
  if (!file_ || !file_->append(bytes)) return false;
  kept_file_ += bytes.size();
  *limits_.kept_in_files += bytes.size();
  return true;
}

void RequestBody::stop_keeping() {
  // Kept bytes that were not delivered yet are still to come; only a repetition is given up.
  keeping_ = false;
}

void RequestBody::rewind() {
  CHECK(can_rewind());
  if (pending_buffer_ != nullptr && !pending_.empty()) {
    // Live bytes that were shown but not taken stay in their buffer; they are pulled again when
    // the kept ones are through. Their decoding is done, so they are kept now.
    if (!keep(pending_)) {
      fail(Cause::bad_body, Party::none, "the request body cannot be kept");
      return;
    }
    pending_buffer_->consume(pending_.size());
  }
  pending_ = {};
  offset_ = 0;
}

}  // namespace steelyard::proxy
