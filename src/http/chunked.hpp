// The chunked transfer coding (RFC 9112 7.1), both ways, strict and bounded.
//
//   size --CRLF--> data --size bytes--> data_end --CRLF--> size ...
//   size 0 --CRLF--> trailers --empty line--> finished
//
// Extensions are checked and dropped. Nothing is buffered: data are views of the input. Only
// trailer lines are, and only when they are collected.
//
// Threads: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "http/field.hpp"

namespace steelyard::http {

inline constexpr std::size_t chunk_size_digits_max = 16;
inline constexpr std::size_t chunk_extension_bytes_max = 4096;         // one chunk's
inline constexpr std::size_t chunk_extension_bytes_total_max = 16384;  // all of a body's
inline constexpr std::size_t trailer_line_bytes_max = 8190;
inline constexpr std::size_t trailer_fields_max = 100;

enum class ChunkFaultCode : std::uint8_t {
  bad_size,        // no digit, or another byte
  size_too_large,  // more than chunk_size_digits_max digits, or over 2^63-1
  bad_extension,   // a control byte
  bad_line_end,    // bare CR or LF
  data_not_ended,  // no CR LF behind a chunk's data
  extension_too_long,
  bad_trailer,
  trailer_too_long,
  too_many_trailers,
};
[[nodiscard]] std::string_view describe(ChunkFaultCode code) noexcept;
struct ChunkFault {
  ChunkFaultCode code = ChunkFaultCode::bad_size;
  // What httpd answers a client: 413 for what is too large, else 400. From a backend it is a 502.
  [[nodiscard]] int status() const noexcept;
};

class ChunkedReader {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of the input that were used up, framing included
    std::string_view data;     // body bytes, the last ones of the consumed; may be empty
    bool finished = false;     // the coding ended; what follows in the input is another message
  };

  // Trailer fields are copied into the arena and listed; without this call they are checked only.
  void collect_trailers(FieldList& trailers, Arena& arena) noexcept;
  // Takes framing up to and with one run of data. Call again with the rest until all was consumed.
  [[nodiscard]] std::expected<Step, ChunkFault> next(std::string_view input);
  [[nodiscard]] bool finished() const noexcept { return state_ == State::finished; }
  // Data bytes of the open chunk that are still to come: they may be spliced past this reader,
  // which is then told by skip_data.
  [[nodiscard]] std::uint64_t data_ahead() const noexcept {
    return state_ == State::data ? left_ : 0;
  }
  void skip_data(std::uint64_t bytes) noexcept;
  // Ready for another body; trailers are no longer collected.
  void reset() noexcept;

 private:
  enum class State : std::uint8_t {
    size,
    blank_after_size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf,
    finished,
  };
  using Result = std::expected<void, ChunkFault>;

  [[nodiscard]] Result take_byte(char c);
  [[nodiscard]] Result take_size_line_byte(char c);
  [[nodiscard]] Result take_digit(int digit);
  [[nodiscard]] Result take_extension_byte(char c);
  [[nodiscard]] Result take_trailer_byte(char c);
  [[nodiscard]] Result end_trailer();

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;  // size being read, or data bytes to come
  std::size_t extension_bytes_ = 0;
  std::size_t extension_bytes_total_ = 0;
  std::size_t trailer_count_ = 0;
  std::string trailer_line_;
  FieldList* trailers_ = nullptr;
  Arena* arena_ = nullptr;
};

// "size CRLF" of a chunk: size in lower-case hexadecimal. Empty chunks are the caller's mistake.
inline constexpr std::size_t chunk_head_bytes_max = 18;
[[nodiscard]] std::string_view write_chunk_head(std::span<char, chunk_head_bytes_max> out,
                                                std::uint64_t size) noexcept;
inline constexpr std::string_view chunk_end = "\r\n";         // behind a chunk's data
inline constexpr std::string_view last_chunk = "0\r\n\r\n";   // without trailers
inline constexpr std::string_view last_chunk_head = "0\r\n";  // trailers and an empty line follow

}  // namespace steelyard::http
