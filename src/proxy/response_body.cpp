#include "proxy/response_body.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

using Kind = http::BodyFraming::Kind;

ResponseBody::ResponseBody(const Sources& sources, http::BodyFraming framing,
                           std::uint64_t least_bytes)
    : sources_(sources), framing_(framing), left_(framing.length), least_bytes_(least_bytes) {
  end_ = !framing.has_bytes();
  if (framing.kind == Kind::chunked)
    chunks_.collect_trailers(sources.trailers.write(), sources.arena);
}

ResponseBody::Progress ResponseBody::pull() {
  if (!pending_.empty()) return Progress::data;
  while (!end_) {
    ReadBuffer& buffer = sources_.head.empty() ? sources_.extra : sources_.head;
    const Progress progress = buffer.empty() ? read_backend() : decode(buffer);
    if (progress != Progress::data || !pending_.empty()) return progress;
  }
  return Progress::finished;
}

// data with nothing pending: look again.
ResponseBody::Progress ResponseBody::read_backend() {
  sources_.extra.make_room(relay_buffer_bytes, relay_buffer_bytes);
  auto room = sources_.extra.room();
  if (framing_.kind == Kind::length)
    room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left_)));
  const io::IoResult result = sources_.backend.read(room);
  if (result.status == io::IoStatus::end || result.status == io::IoStatus::failed) ending_ = result;
  switch (result.status) {
    case io::IoStatus::ok:
      sources_.extra.filled(result.bytes);
      return Progress::data;
    case io::IoStatus::would_block:
      return Progress::blocked;
    case io::IoStatus::end:
      if (framing_.kind != Kind::until_close || received_ < least_bytes_)
        return Progress::cut_short;
      end_ = true;
      return Progress::finished;
    case io::IoStatus::failed:
      break;
  }
  return Progress::cut_short;
}

ResponseBody::Progress ResponseBody::decode(ReadBuffer& buffer) {
  pending_buffer_ = &buffer;
  switch (framing_.kind) {
    case Kind::length:
      pending_ = buffer.data().substr(0, left_);
      left_ -= pending_.size();
      end_ = left_ == 0;
      break;
    case Kind::chunked: {
      const auto step = chunks_.next(buffer.data());
      if (!step) return Progress::cut_short;
      buffer.consume(step->consumed - step->data.size());
      pending_ = step->data;
      end_ = step->finished;
      break;
    }
    case Kind::until_close:
    case Kind::none:
      pending_ = buffer.data();
      break;
  }
  received_ += pending_.size();
  return Progress::data;
}

void ResponseBody::take(std::size_t bytes) {
  CHECK(bytes <= pending_.size());
  pending_buffer_->consume(bytes);
  pending_.remove_prefix(bytes);
}

std::uint64_t ResponseBody::splice_ahead() const {
  if (framing_.kind != Kind::length || !pending_.empty() || has_surplus()) return 0;
  return left_;
}

void ResponseBody::spliced(std::uint64_t bytes) {
  CHECK(bytes <= left_);
  left_ -= bytes;
  received_ += bytes;
  end_ = left_ == 0;
}

}  // namespace steelyard::proxy
