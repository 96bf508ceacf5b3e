// Request line and fields of an HTTP/1 request (RFC 9112 2 to 3), strict.
//
//   expecting_line --line--> expecting_fields --empty line--> complete
//         |                        |
//         +------- fault ----------+      (400 414 501: answer, then close)
//
// 1. Views lie in the caller's buffer; they are valid until it changes. The buffer may be
//    re-allocated between two calls of one head as long as its bytes stay the same.
// 2. Each byte is looked at once however small the pieces it arrives in.
// 3. After a fault nothing of the connection may be parsed again: the caller answers and closes.
//
// Threads: one owner, one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "http/field.hpp"
#include "http/framing.hpp"
#include "http/host_memo.hpp"
#include "http/method.hpp"
#include "http/request_target.hpp"

namespace steelyard::http {

struct RequestLimits {
  // Both without the line's end; httpd lets a line of one byte more through, and so does this.
  std::size_t line_bytes_max = 8190;   // LimitRequestLine, else 414
  std::size_t field_bytes_max = 8190;  // LimitRequestFieldSize: "name: value", else 400
  std::size_t fields_max = 100;        // LimitRequestFields: lines, else 400; 0 = unlimited
};
// httpd skips so many empty lines in front of a request line and refuses the next one.
inline constexpr std::size_t leading_empty_lines_max = 10;
// What LimitRequestFields 0 allows here, since merging and removing compare names pairwise.
inline constexpr std::size_t unlimited_fields_max = 4096;

enum class RequestFaultCode : std::uint8_t {
  line_too_long,  // 414
  empty_lines,    // more than leading_empty_lines_max in front
  bare_lf,        // a line not ended by CR LF
  bare_cr,
  control_byte,    // NUL and other controls in the request line or a value
  malformed_line,  // not "method SP target SP version"
  bad_method,
  bad_version,
  no_version,  // an HTTP/0.9 simple request
  bad_target,
  fragment,  // '#' in the target
  too_many_fields,
  field_too_long,  // text: the field's name
  folded_field,    // obs-fold
  no_colon,
  blank_before_colon,
  empty_field_name,
  bad_field_name,
  no_host,
  several_hosts,
  bad_host,
  bad_content_length,
  several_content_lengths,
  length_and_coding,  // Content-Length with Transfer-Encoding
  coding_in_http_1_0,
  bad_transfer_coding,  // last coding is not exactly one "chunked"
  unsupported_coding,   // 501: a known coding in front of chunked
  cut_short,            // the connection ended within the fields
};
// A short claim for the error log: "Content-Length together with Transfer-Encoding".
[[nodiscard]] std::string_view describe(RequestFaultCode code) noexcept;

struct RequestFault {
  int status = 400;
  RequestFaultCode code = RequestFaultCode::malformed_line;
  std::string_view text;  // the offending words, into the buffer; may be empty; not escaped
};

struct RequestHead {
  std::string_view line;    // as received, without CR LF: %r
  std::string_view method;  // as received
  Method method_id = Method::other;
  RequestTarget target;
  Version received_version;  // what the line says, e.g. 2.0
  Version version;           // what counts: 1.0 or 1.1
  FieldList fields;          // Host holds the target's authority when the target was absolute
  std::string_view host;     // value of Host after that replacement; empty in 1.0 without one
  std::optional<HostPort> host_parts;  // of host, once it was found to be one
  BodyFraming body;                    // never until_close
  ConnectionOptions connection;
  bool expects_continue = false;
  bool expects_the_unknown = false;  // an Expect that nobody can meet: 417, the message is sound
  std::size_t head_bytes = 0;  // from the buffer's begin, with leading empty lines and the last one

  [[nodiscard]] bool asks_keep_alive() const noexcept { return persists(version, connection); }
  void clear() noexcept;  // keeps the fields' capacity
};

enum class HeadProgress : std::uint8_t { incomplete, complete };

class RequestHeadReader {
 public:
  explicit RequestHeadReader(RequestLimits limits = {}) noexcept : limits_(limits) {}

  // `buffer` holds everything received since the head's first byte, `head` the same object in every
  // call of one head, cleared before the first. Complete: head is filled. Incomplete: call again
  // with more bytes. A fault is final until reset(); the head then holds what was read so far
  // (line, method, target, fields).
  [[nodiscard]] std::expected<HeadProgress, RequestFault> read(std::string_view buffer,
                                                               RequestHead& head);
  void reset() noexcept;
  void set_limits(RequestLimits limits) noexcept { limits_ = limits; }
  // Bytes of a request (other than empty lines in front of it) have been seen.
  [[nodiscard]] bool started() const noexcept { return started_; }
  // The request line is complete, so a time-out is answered with a 408 page (httpd).
  [[nodiscard]] bool has_line() const noexcept { return state_ != State::expecting_line; }

 private:
  enum class State : std::uint8_t { expecting_line, expecting_fields, complete };
  using Result = std::expected<void, RequestFault>;

  [[nodiscard]] Result take_other_line(std::string_view line, RequestHead& head);
  [[nodiscard]] Result take_request_line(std::string_view line, RequestHead& head) const;
  [[nodiscard]] bool add_field(std::string_view line, RequestHead& head) const;
  [[nodiscard]] std::unexpected<RequestFault> why_no_field(std::string_view line,
                                                           const RequestHead& head) const;
  [[nodiscard]] Result check_unfinished(std::string_view rest, const RequestHead& head);
  [[nodiscard]] std::size_t fields_max() const noexcept;
  void follow_buffer(std::string_view buffer, RequestHead& head) noexcept;

  RequestLimits limits_;
  HostMemo host_;  // of the head before
  State state_ = State::expecting_line;
  bool started_ = false;
  std::size_t empty_lines_ = 0;
  std::size_t line_begin_ = 0;  // offset of the line that is being received
  std::size_t scanned_ = 0;     // offset up to which no line end was found
  std::uintptr_t base_ = 0;     // where the buffer lay in the last call
};

}  // namespace steelyard::http
