// The head of an answer in CGI's words (RFC 3875 6.2; httpd: script headers), as FastCGI and SCGI
// members give it. A uwsgi member answers with a head of HTTP/1.
//
//   Status: 404 Not Here       no Status: 200; a Location alone changes nothing (httpd)
//   Content-Type: text/plain
//                              an empty line ends it; CR LF or LF alone end a line
//
// 1. Views lie in the buffer of the call that was complete, or in the arena.
// 2. What passes holds no control byte but tab, so an answer cannot be split by its fields.
// 3. The body's framing is the protocol's: Transfer-Encoding and Content-Length are left out. A
//    body that ends before the length that was told is not whole, though.
//
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "http/response_head.hpp"

namespace steelyard::cgi {

struct HeadLimits {
  std::size_t line_bytes_max = 8190;  // httpd: MAX_STRING_LEN
  std::size_t fields_max = 1000;      // httpd has no limit; memory must have one
  std::size_t head_bytes_max = 262144;
};

enum class HeadFault : std::uint8_t {
  line_too_long,
  too_many_fields,
  head_too_long,
  no_colon,  // also the status line of a script that speaks HTTP itself
  bad_field_name,
  control_byte,
  interim,  // a status below 200
};
std::string_view describe(HeadFault fault);
// httpd's, for each of them.
inline constexpr int head_fault_status = 500;

class HeadReader {
 public:
  explicit HeadReader(HeadLimits limits = {}) : limits_(limits) {}

  // `buffer` holds everything since the head's first byte. True: `head` is filled (it was cleared
  // before), with head_bytes, and a body that the close of the stream ends unless status or method
  // forbid one. False: more bytes are needed.
  std::expected<bool, HeadFault> read(std::string_view buffer, http::Method request,
                                      http::ResponseHead& head, Arena& arena);
  void reset() { *this = HeadReader(limits_); }
  // Of the body, by the complete head's Content-Length; 0: it has none, or no single number.
  std::uint64_t told_length() const { return told_length_; }

 private:
  HeadLimits limits_;
  std::size_t line_begin_ = 0;  // of the line that is being received
  std::size_t scanned_ = 0;     // no line end up to here
  std::uint64_t told_length_ = 0;
};

// The framing of a uwsgi answer, whose head was read as one of HTTP/1: the connection's end, or a
// length that the application gave. Transfer-Encoding says nothing (CVE-2023-27522: nor may it go
// on). False: the head is an interim one, which no uwsgi answer has.
bool frame_uwsgi_answer(http::ResponseHead& head);

}  // namespace steelyard::cgi
