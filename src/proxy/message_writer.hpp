#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "io/stream.hpp"

// One HTTP/1 message on its way out: its head, then its body as it comes, framed. Head and first
// body bytes leave in one system call.
//
// Invariants: 1. bytes leave in order; what a full socket did not take is offered again.
//             2. with chunked framing each offered piece becomes one chunk.
//             3. with stream framing the stream's writing side ends with the message.
// Threads: the shard's.

namespace steelyard::proxy {

// stream: the stream itself tells where the body ends (HTTP/2).
enum class Framing : std::uint8_t { plain, chunked, stream };

class MessageWriter {
 public:
  // `head` stays valid until it was written.
  void begin(std::string_view head, Framing framing);

  struct Result {
    io::IoStatus status = io::IoStatus::ok;
    std::size_t taken = 0;  // bytes of `data` that are gone; offer the rest again
    int error = 0;
  };
  // `last`: the body ends with `data`. ok with everything taken and (if last) done(): complete.
  Result write(io::Stream& stream, std::string_view data, bool last);

  bool head_written() const { return head_.empty(); }
  bool done() const { return ended_ && prefix_left().empty() && head_.empty(); }
  bool in_debt() const { return !head_.empty() || !prefix_left().empty(); }
  std::uint64_t bytes_written() const { return bytes_written_; }
  std::uint64_t body_bytes_written() const { return body_bytes_written_; }
  // Bytes that reached the stream past this writer (splice).
  void count_body(std::uint64_t bytes) {
    bytes_written_ += bytes;
    body_bytes_written_ += bytes;
  }
  Framing framing() const { return framing_; }

 private:
  std::string_view prefix_left() const {
    return {prefix_.data() + prefix_begin_, static_cast<std::size_t>(prefix_end_ - prefix_begin_)};
  }
  void set_prefix(std::string_view text);
  void open_chunk(std::size_t bytes);

  std::string_view head_;
  Framing framing_ = Framing::plain;
  std::array<char, 24> prefix_{};  // framing bytes in front of the data
  std::uint8_t prefix_begin_ = 0, prefix_end_ = 0;
  std::uint64_t chunk_left_ = 0;  // data bytes of the open chunk that were not sent
  bool ended_ = false;            // the last framing byte was sent or lies in prefix_
  std::uint64_t bytes_written_ = 0, body_bytes_written_ = 0;
};

}  // namespace steelyard::proxy
