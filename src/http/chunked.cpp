#include "http/chunked.hpp"

#include <algorithm>
#include <limits>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

using Code = ChunkFaultCode;

std::unexpected<ChunkFault> refuse(Code code) { return std::unexpected(ChunkFault{code}); }

}  // namespace

int ChunkFault::status() const noexcept {
  const bool too_much = code == Code::size_too_large || code == Code::extension_too_long;
  return too_much ? 413 : 400;
}

void ChunkedReader::collect_trailers(FieldList& trailers, Arena& arena) noexcept {
  trailers_ = &trailers;
  arena_ = &arena;
}

void ChunkedReader::reset() noexcept {
  std::string line = std::move(trailer_line_);
  line.clear();
  *this = ChunkedReader{};
  trailer_line_ = std::move(line);
}

void ChunkedReader::skip_data(std::uint64_t bytes) noexcept {
  CHECK(bytes <= data_ahead());
  left_ -= bytes;
  if (left_ == 0 && state_ == State::data) state_ = State::data_cr;
}

std::expected<ChunkedReader::Step, ChunkFault> ChunkedReader::next(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::finished) {
    if (state_ == State::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      skip_data(size);
      return Step{at + size, input.substr(at, size), false};
    }
    const Result taken = take_byte(input[at]);
    if (!taken) return std::unexpected(taken.error());
    ++at;
  }
  return Step{at, {}, state_ == State::finished};
}

ChunkedReader::Result ChunkedReader::take_byte(char c) {
  switch (state_) {
    case State::size:
    case State::blank_after_size:
    case State::extension:
    case State::size_lf:
      return take_size_line_byte(c);
    case State::data_cr:
      if (c != '\r') return refuse(Code::data_not_ended);
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return refuse(Code::data_not_ended);
      state_ = State::size;
      digits_ = 0;
      return {};
    case State::trailer:
    case State::trailer_lf:
      return take_trailer_byte(c);
    case State::data:
    case State::finished:
      break;
  }
  return {};
}

ChunkedReader::Result ChunkedReader::take_size_line_byte(char c) {
  if (state_ == State::size_lf) {
    if (c != '\n') return refuse(Code::bad_line_end);
    state_ = left_ == 0 ? State::trailer : State::data;
    extension_bytes_ = 0;
    return {};
  }
  if (c == '\n') return refuse(Code::bad_line_end);
  if (state_ == State::size && hex_value(c) >= 0) return take_digit(hex_value(c));
  if (digits_ == 0) return refuse(Code::bad_size);
  if (c == '\r') {
    state_ = State::size_lf;
    return {};
  }
  return take_extension_byte(c);
}

ChunkedReader::Result ChunkedReader::take_digit(int digit) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (digits_ == 0) left_ = 0;
  if (++digits_ > chunk_size_digits_max || left_ > most >> 4) return refuse(Code::size_too_large);
  left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
  return {};
}

// Blanks may stand behind the size: there are senders that pad it, and httpd takes them.
ChunkedReader::Result ChunkedReader::take_extension_byte(char c) {
  const bool blank = c == ' ' || c == '\t';
  if (state_ != State::extension) {
    if (c == ';') {
      state_ = State::extension;
    } else if (blank) {
      state_ = State::blank_after_size;
    } else {
      return refuse(Code::bad_size);
    }
  }
  if (is_control(c)) return refuse(Code::bad_extension);
  if (++extension_bytes_ > chunk_extension_bytes_max ||
      ++extension_bytes_total_ > chunk_extension_bytes_total_max) {
    return refuse(Code::extension_too_long);
  }
  return {};
}

ChunkedReader::Result ChunkedReader::take_trailer_byte(char c) {
  if (state_ == State::trailer_lf) {
    if (c != '\n') return refuse(Code::bad_line_end);
    state_ = State::trailer;
    return end_trailer();
  }
  if (c == '\n') return refuse(Code::bad_line_end);
  if (c == '\r') {
    state_ = State::trailer_lf;
    return {};
  }
  if (is_control(c)) return refuse(Code::bad_trailer);
  if (trailer_line_.size() >= trailer_line_bytes_max) return refuse(Code::trailer_too_long);
  trailer_line_.push_back(c);
  return {};
}

ChunkedReader::Result ChunkedReader::end_trailer() {
  const std::string_view line = trailer_line_;
  if (line.empty()) {
    state_ = State::finished;
    return {};
  }
  if (++trailer_count_ > trailer_fields_max) return refuse(Code::too_many_trailers);
  const std::size_t name_end = token_length(line);
  if (name_end == 0 || name_end == line.size() || line[name_end] != ':') {
    return refuse(Code::bad_trailer);
  }
  if (trailers_ != nullptr) {
    const std::string_view kept = arena_->copy(line);
    trailers_->add(kept.substr(0, name_end), trim_blanks(kept.substr(name_end + 1)));
  }
  trailer_line_.clear();
  return {};
}

std::string_view write_chunk_head(std::span<char, chunk_head_bytes_max> out,
                                  std::uint64_t size) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  char* const end = out.data() + out.size();
  char* at = end;
  *--at = '\n';
  *--at = '\r';
  do {
    *--at = digits[size & 0xf];
    size >>= 4;
  } while (size != 0);
  return {at, static_cast<std::size_t>(end - at)};
}

std::string_view describe(ChunkFaultCode code) noexcept {
  switch (code) {
    case Code::bad_size:
      return "a chunk size is malformed";
    case Code::size_too_large:
      return "a chunk size is too large";
    case Code::bad_extension:
      return "a control byte in a chunk extension";
    case Code::bad_line_end:
      return "a line of the chunked coding does not end with CR LF";
    case Code::data_not_ended:
      return "chunk data are not followed by CR LF";
    case Code::extension_too_long:
      return "chunk extensions are too long";
    case Code::bad_trailer:
      return "a trailer field is malformed";
    case Code::trailer_too_long:
      return "a trailer field is too long";
    case Code::too_many_trailers:
      return "too many trailer fields";
  }
  return {};
}

}  // namespace steelyard::http
