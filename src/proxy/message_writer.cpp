#include "proxy/message_writer.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "http/chunked.hpp"

namespace steelyard::proxy {

namespace {

// Takes what was written off the front of `piece`; returns how much of it that was.
std::size_t eat(std::string_view& piece, std::size_t& written) {
  const std::size_t eaten = std::min(piece.size(), written);
  piece.remove_prefix(eaten);
  written -= eaten;
  return eaten;
}

}  // namespace

void MessageWriter::begin(std::string_view head, Framing framing) {
  head_ = head;
  framing_ = framing;
  prefix_begin_ = prefix_end_ = 0;
  chunk_left_ = 0;
  ended_ = false;
  bytes_written_ = body_bytes_written_ = 0;
}

void MessageWriter::set_prefix(std::string_view text) {
  CHECK(text.size() <= prefix_.size());
  std::memmove(prefix_.data(), text.data(), text.size());
  prefix_begin_ = 0;
  prefix_end_ = static_cast<std::uint8_t>(text.size());
}

void MessageWriter::open_chunk(std::size_t bytes) {
  std::array<char, http::chunk_head_bytes_max> head;
  set_prefix(http::write_chunk_head(head, bytes));
  chunk_left_ = bytes;
}

MessageWriter::Result MessageWriter::write(io::Stream& stream, std::string_view data, bool last) {
  const bool chunked = framing_ == Framing::chunked;
  // Framing bytes of an earlier chunk go first; a new chunk is opened when they are gone.
  const bool may_open = prefix_left().empty() && chunk_left_ == 0;
  if (chunked && may_open && !data.empty()) open_chunk(data.size());
  const std::size_t data_now =
      chunked ? static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, data.size()))
              : data.size();
  std::string_view body = data.substr(0, data_now);
  const bool closes_chunk = chunked && chunk_left_ != 0 && data_now == chunk_left_;
  const bool ends = last && !ended_ && data_now == data.size();
  std::string_view tail;
  if (closes_chunk) tail = ends ? "\r\n0\r\n\r\n" : http::chunk_end;
  if (chunked && !closes_chunk && ends) tail = http::last_chunk;

  std::string_view pieces[] = {head_, prefix_left(), body, tail};
  if (head_.empty() && pieces[1].empty() && body.empty() && tail.empty()) {
    ended_ = ended_ || ends;
    if (ends && framing_ == Framing::stream) stream.end_writing();
    return {};
  }
  const io::IoResult result = stream.write(pieces);
  if (result.status != io::IoStatus::ok) return {result.status, 0, result.error};

  std::size_t left = result.bytes;
  bytes_written_ += left;
  eat(head_, left);
  std::string_view prefix = prefix_left();
  prefix_begin_ = static_cast<std::uint8_t>(prefix_begin_ + eat(prefix, left));
  const std::size_t taken = eat(body, left);
  body_bytes_written_ += taken;
  if (chunked) chunk_left_ -= taken;
  if (body.empty() && prefix.empty()) {
    eat(tail, left);
    if (!tail.empty()) set_prefix(tail);
    ended_ = ended_ || ends;
    if (ends && framing_ == Framing::stream) stream.end_writing();
    // An unsent tail of a chunk is owed like any framing byte.
    return {io::IoStatus::ok, taken, 0};
  }
  return {io::IoStatus::ok, taken, 0};
}

}  // namespace steelyard::proxy
