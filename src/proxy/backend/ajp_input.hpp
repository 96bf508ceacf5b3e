#pragma once

#include <cstdint>
#include <optional>

#include "ajp/reply.hpp"
#include "io/stream.hpp"
#include "proxy/workspace.hpp"

// What a container sends, packet by packet. A packet is looked at once it is whole, and lies in the
// exchange's buffers until it is used up.
//
// Threads: the shard's.

namespace steelyard::proxy {

class AjpInput {
 public:
  AjpInput(Workspace& workspace, std::size_t packet_bytes)
      : workspace_(workspace), packet_bytes_(packet_bytes) {}

  // Nothing is left of an earlier exchange or connection.
  void begin();

  enum class Progress : std::uint8_t { packet, blocked, ended, faulty };
  // Reads until there is a packet.
  Progress next(io::Stream& member);
  const ajp::Packet& packet() const { return packet_; }
  // The one behind packet(), if it is here and whole.
  std::optional<ajp::Packet> following() const;
  void consume(std::size_t bytes) { buffer_->consume(bytes); }
  bool is_empty() const { return buffer_->empty(); }
  // Why it is faulty.
  ajp::ReplyFault fault() const { return fault_; }
  // How the connection ended; ok: it did not.
  const io::IoResult& ending() const { return ending_; }

  // From now on much may come.
  void expect_body() { in_body_ = true; }
  std::uint64_t bytes_heard() const { return bytes_heard_; }

 private:
  void make_room();

  Workspace& workspace_;
  std::size_t packet_bytes_;
  ReadBuffer* buffer_ = nullptr;
  ajp::Packet packet_;
  ajp::ReplyFault fault_{};
  io::IoResult ending_;
  bool in_body_ = false;
  std::uint64_t bytes_heard_ = 0;
};

}  // namespace steelyard::proxy
