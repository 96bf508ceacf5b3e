#include "http/status.hpp"
#include "proxy/backend/ajp_dialect.hpp"
#include "proxy/backend/limits.hpp"

// The body of a container's answer: what follows its headers.

namespace steelyard::proxy {

using Progress = ReplyBody::Progress;

// `end`: the answer has no body, whatever comes: only an end behind the headers leaves the
// connection usable.
AjpDialect::Answer::Answer(AjpDialect& dialect, io::Stream& member, bool end)
    : dialect_(dialect), member_(member) {
  if (!end) return;
  const auto& packet = dialect_.input_.packet();
  const bool is_at_end = !dialect_.input_.is_empty() && packet.kind == ajp::ReplyKind::end;
  if (is_at_end) (void)take_end();
  end_ = true;
}

Progress AjpDialect::Answer::pull() {
  if (!pending_.empty()) return Progress::data;
  if (end_) return Progress::finished;
  if (failed_) return Progress::cut_short;
  std::size_t passed = 0;
  while (passed < unwanted_bytes_a_turn) {
    const auto progress = dialect_.input_.next(member_);
    if (progress == AjpInput::Progress::blocked) return Progress::blocked;
    if (progress != AjpInput::Progress::packet) return fail();
    if (const auto done = take_packet()) return *done;
    passed += dialect_.input_.packet().bytes;
  }
  return Progress::others_turn;
}

std::optional<Progress> AjpDialect::Answer::take_packet() {
  const ajp::Packet& packet = dialect_.input_.packet();
  switch (packet.kind) {
    case ajp::ReplyKind::body_chunk:
      return take_chunk();
    case ajp::ReplyKind::end:
      return take_end();
    case ajp::ReplyKind::want_body:
      if (!read_want(packet) || !dialect_.take_wish()) return fail();
      dialect_.input_.consume(packet.bytes);
      return std::nullopt;
    case ajp::ReplyKind::headers:
    case ajp::ReplyKind::pong:
      break;
  }
  return fail();
}

std::optional<Progress> AjpDialect::Answer::take_chunk() {
  const ajp::Packet& packet = dialect_.input_.packet();
  const auto data = read_body_chunk(packet);
  if (!data) return fail();
  if (data->empty()) {  // what came before is on its way at once in any case
    dialect_.input_.consume(packet.bytes);
    return std::nullopt;
  }
  // More than a trusted length would be read as the next answer.
  if (dialect_.length_ && received_ + data->size() > *dialect_.length_) return fail();
  pending_ = *data;
  packet_bytes_ = packet.bytes;
  received_ += data->size();
  const auto next = dialect_.input_.following();
  const bool ends = next && next->kind == ajp::ReplyKind::end;
  const auto end = ends ? read_end(*next) : std::unexpected(ajp::ReplyFault::bad_length);
  const bool is_all = !dialect_.length_ || received_ == *dialect_.length_;
  if (end && is_all) {
    packet_bytes_ += next->bytes;
    dialect_.reuses_ = *end;
    end_ = true;
  }
  return Progress::data;
}

Progress AjpDialect::Answer::take_end() {
  const ajp::Packet& packet = dialect_.input_.packet();
  const auto end = read_end(packet);
  if (!end) return fail();
  if (dialect_.length_ && received_ != *dialect_.length_) return fail();
  dialect_.input_.consume(packet.bytes);
  dialect_.reuses_ = *end;
  end_ = true;
  return Progress::finished;
}

Progress AjpDialect::Answer::fail() {
  failed_ = true;
  ending_ = dialect_.input_.ending();
  return Progress::cut_short;
}

void AjpDialect::Answer::take(std::size_t bytes) {
  pending_.remove_prefix(bytes);
  if (!pending_.empty()) return;
  dialect_.input_.consume(packet_bytes_);
  packet_bytes_ = 0;
}

}  // namespace steelyard::proxy
