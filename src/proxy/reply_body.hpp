#pragma once

#include <cstdint>
#include <string_view>

#include "io/stream.hpp"

// The body of a member's answer, decoded piece by piece, whatever its framing is.
//
// Threads: the shard's.

namespace steelyard::proxy {

class ReplyBody {
 public:
  // others_turn: there may be more to read, but what came was for nobody (unwanted_bytes_a_turn).
  enum class Progress : std::uint8_t { data, blocked, finished, cut_short, others_turn };

  virtual ~ReplyBody() = default;
  // Makes pending() non-empty when it can without waiting.
  virtual Progress pull() = 0;
  virtual void take(std::size_t bytes) = 0;
  // Nothing is buffered and so many bytes are to come as they are: they may be spliced, and are
  // reported by spliced() then.
  virtual std::uint64_t splice_ahead() const { return 0; }
  virtual void spliced(std::uint64_t /*bytes*/) {}

  std::string_view pending() const { return pending_; }
  bool finished() const { return end_ && pending_.empty(); }
  // Nothing more of it is read from the member's connection.
  virtual bool received_whole() const { return finished(); }
  bool pending_is_last() const { return end_; }
  std::uint64_t received() const { return received_; }
  // After cut_short: how the connection ended, or ok: it did not, what came is at fault.
  const io::IoResult& ending() const { return ending_; }

 protected:
  std::string_view pending_;
  bool end_ = false;  // nothing follows `pending_`
  std::uint64_t received_ = 0;
  io::IoResult ending_;
};

}  // namespace steelyard::proxy
