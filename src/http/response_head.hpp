// Status line and fields of a backend's HTTP/1 response (RFC 9112 4, reference: httpd's proxy).
//
// 1. Views lie in the caller's buffer (folded values in the arena), valid until it changes; the
//    buffer may be re-allocated between two calls of one head.
// 2. What passes holds no control byte but tab, so a response can never be split by its fields.
// 3. Line ends are CR LF or LF alone, as httpd accepts from backends; a CR elsewhere is a fault.
// 4. After a fault, or when may_reuse is false, the connection is not used again.
//
// Threads: one owner, one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "http/field.hpp"
#include "http/framing.hpp"
#include "http/method.hpp"

namespace steelyard {
class Arena;
}

namespace steelyard::http {

enum class BadHeader : std::uint8_t { is_error, ignore, start_body };  // ProxyBadHeader

struct ResponseLimits {
  std::size_t line_bytes_max = 8191;   // status line
  std::size_t field_bytes_max = 8190;  // responsefieldsize: one unfolded line
  std::size_t fields_max = 1000;       // httpd has no limit; memory must have one
  std::size_t head_bytes_max = 262144;
};

enum class ResponseFaultCode : std::uint8_t {
  empty_lines,  // a second one in front of the status line
  bad_version,  // major is not 1; text: the status line
  bad_status,   // below 100
  line_too_long,
  field_too_long,
  too_many_fields,
  head_too_long,
  no_colon,  // under BadHeader::is_error
  blank_before_colon,
  bad_field_name,
  control_byte,        // in a value; bare CR
  bad_content_length,  // not a number, or two that differ
  bad_transfer_coding,
};
[[nodiscard]] std::string_view describe(ResponseFaultCode code) noexcept;

struct ResponseFault {
  int status = 502;  // 500 for a field name or value that httpd cannot send on
  ResponseFaultCode code = ResponseFaultCode::bad_version;
  std::string_view text;  // offending words; may be empty; not escaped
};

struct ResponseHead {
  std::string_view line;    // status line as received
  Version version;          // major is 1
  int status = 0;           // 100 to 999
  std::string_view reason;  // may be empty; the standard one when it held a control byte (httpd)
  FieldList fields;         // order of the wire, repeated fields kept apart; one Content-Length
  BodyFraming body;         // after the request's method and the status were considered
  ConnectionOptions connection;
  bool may_reuse = false;  // the connection may serve another request once the body was read
  bool has_length_and_coding = false;  // Content-Length was ignored and removed
  std::size_t head_bytes = 0;          // from the buffer's begin

  void clear() noexcept;
};

enum class ResponseProgress : std::uint8_t {
  incomplete,
  complete,
  no_status_line,  // the bytes are not HTTP/1: httpd passes them on as the body of a 200 (HTTP/0.9)
};

class ResponseHeadReader {
 public:
  explicit ResponseHeadReader(ResponseLimits limits = {},
                              BadHeader bad_header = BadHeader::is_error) noexcept
      : limits_(limits), bad_header_(bad_header) {}

  // As RequestHeadReader::read. `request` is the method that is being answered: a HEAD has no body.
  [[nodiscard]] std::expected<ResponseProgress, ResponseFault> read(std::string_view buffer,
                                                                    Method request,
                                                                    ResponseHead& head,
                                                                    Arena& arena);
  // Ready for the next head of the connection (after an interim one, or a reuse).
  void reset() noexcept;
  void set_rules(ResponseLimits limits, BadHeader bad_header) noexcept;
  [[nodiscard]] bool started() const noexcept { return scanned_ != 0; }

 private:
  enum class State : std::uint8_t { expecting_line, expecting_fields, skipping_field, complete };
  using Result = std::expected<void, ResponseFault>;
  using Line = std::expected<ResponseProgress, ResponseFault>;

  void take_clean_fields(std::string_view buffer, ResponseHead& head);
  [[nodiscard]] Line take_line(std::string_view line, ResponseHead& head, Arena& arena);
  [[nodiscard]] Line take_status_line(std::string_view line, ResponseHead& head);
  [[nodiscard]] Line take_field(std::string_view line, ResponseHead& head, Arena& arena);
  [[nodiscard]] Line take_line_without_colon(std::string_view line);
  [[nodiscard]] Result unfold(std::string_view line, ResponseHead& head, Arena& arena) const;
  [[nodiscard]] Line check_unfinished(std::string_view rest) const;
  void follow_buffer(std::string_view buffer, ResponseHead& head) noexcept;

  ResponseLimits limits_;
  BadHeader bad_header_;
  State state_ = State::expecting_line;
  bool skipped_empty_line_ = false;
  std::size_t line_begin_ = 0;  // offset of the line that is being received
  std::size_t scanned_ = 0;     // offset up to which no line end was found
  std::uintptr_t base_ = 0;     // where the buffer lay in the last call
};

}  // namespace steelyard::http
