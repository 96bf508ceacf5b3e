#include "proxy/backend/ajp_input.hpp"

#include <algorithm>

#include "proxy/limits.hpp"

namespace steelyard::proxy {

void AjpInput::begin() {
  buffer_ = &workspace_.backend_head;
  workspace_.backend_head.clear();
  workspace_.backend_body.clear();
  in_body_ = false;
  ending_ = {};
  bytes_heard_ = 0;
}

AjpInput::Progress AjpInput::next(io::Stream& member) {
  while (true) {
    const auto found = ajp::next_packet(buffer_->data(), packet_bytes_);
    if (!found) {
      fault_ = found.error();
      return Progress::faulty;
    }
    if (*found) {
      packet_ = **found;
      return Progress::packet;
    }
    make_room();
    const io::IoResult result = member.read(buffer_->room());
    if (result.status == io::IoStatus::would_block) return Progress::blocked;
    if (result.status != io::IoStatus::ok) {
      ending_ = result;
      return Progress::ended;
    }
    bytes_heard_ += result.bytes;
    buffer_->filled(result.bytes);
  }
}

std::optional<ajp::Packet> AjpInput::following() const {
  const auto found = ajp::next_packet(buffer_->data().substr(packet_.bytes), packet_bytes_);
  return found ? *found : std::nullopt;
}

// A packet that is not whole moves to the buffer's begin, where there is room for all of it.
void AjpInput::make_room() {
  const std::size_t most = std::max(relay_buffer_bytes, packet_bytes_);
  if (in_body_ && buffer_ == &workspace_.backend_head) {
    ReadBuffer& body = workspace_.backend_body;
    (void)body.make_room(most, most);
    body.append(buffer_->data());
    buffer_->clear();
    buffer_ = &body;
  }
  buffer_->compact();
  (void)buffer_->make_room(head_buffer_bytes, most);
}

}  // namespace steelyard::proxy
