#include "http/request_head.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.hpp"
#include "base/text.hpp"
#include "http/block_scan.hpp"
#include "http/expectation.hpp"
#include "http/hop_by_hop.hpp"
#include "http/syntax.hpp"
#include "http/token_list.hpp"

namespace steelyard::http {

namespace {

using Code = RequestFaultCode;

std::unexpected<RequestFault> refuse(Code code, std::string_view text = {}, int status = 400) {
  return std::unexpected(RequestFault{status, code, text});
}

// "HTTP/d.d" with a major of at least 1. Whatever is newer than 1.0 counts as 1.1 (httpd).
bool read_version(std::string_view text, RequestHead& head) noexcept {
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.') return false;
  if (!is_digit(text[5]) || !is_digit(text[7]) || text[5] == '0') return false;
  head.received_version = {static_cast<std::uint8_t>(text[5] - '0'),
                           static_cast<std::uint8_t>(text[7] - '0')};
  head.version = head.received_version == http_1_0 ? http_1_0 : http_1_1;
  return true;
}

Code code_of(TargetFault fault) noexcept {
  switch (fault) {
    case TargetFault::fragment:
      return Code::fragment;
    case TargetFault::bad_authority:
      return Code::bad_host;
    case TargetFault::control_byte:
      return Code::control_byte;
    case TargetFault::malformed:
      return Code::bad_target;
  }
  return Code::bad_target;
}

bool is_content_coding(std::string_view token) noexcept {
  constexpr std::array<std::string_view, 5> known = {"gzip", "x-gzip", "deflate", "compress",
                                                     "x-compress"};
  return std::ranges::any_of(
      known, [token](std::string_view name) { return equals_ignoring_case(token, name); });
}

// Codings that another server might decode, then exactly one "chunked".
bool chunks_encoded_content(std::string_view value) noexcept {
  bool encoded = false;
  bool chunked = false;
  for (const std::string_view coding : tokens(value)) {
    if (chunked) return false;
    chunked = equals_ignoring_case(coding, "chunked");
    if (!chunked && !is_content_coding(coding)) return false;
    encoded = encoded || !chunked;
  }
  return encoded && chunked;
}

// "chunked" alone passes. The rest is refused: 501 when the body's end could be known (RFC
// 9112 6.1), otherwise 400.
std::expected<void, RequestFault> check_coding(std::string_view value) {
  if (equals_ignoring_case(value, "chunked")) return {};
  if (chunks_encoded_content(value)) return refuse(Code::unsupported_coding, value, 501);
  return refuse(Code::bad_transfer_coding, value);
}

std::expected<void, RequestFault> frame_body(RequestHead& head) {
  const Field* coding = head.fields.find(FieldId::transfer_encoding);
  const Field* length = head.fields.find(FieldId::content_length);
  if (coding != nullptr) {
    if (length != nullptr) return refuse(Code::length_and_coding, length->value);
    if (head.version == http_1_0) return refuse(Code::coding_in_http_1_0, coding->value);
    head.body.kind = BodyFraming::Kind::chunked;
    return check_coding(coding->value);
  }
  if (length == nullptr) return {};
  const auto bytes = parse_length(length->value);
  if (!bytes) return refuse(Code::bad_content_length, length->value);
  head.body = {BodyFraming::Kind::length, *bytes};
  return {};
}

// In 1.1 exactly one Host, which is not empty; 1.0 may go without. An absolute target's authority
// replaces it, whatever it said (RFC 9112 3.2.2).
std::expected<void, RequestFault> settle_host(RequestHead& head, HostMemo& memo) {
  const bool needed = head.version != http_1_0;
  const Field* host = head.fields.find(FieldId::host);
  if (host == nullptr && needed) return refuse(Code::no_host);
  if (head.target.form == RequestTarget::Form::absolute) {
    head.host = head.target.authority;
    head.host_parts = split_host(head.host);
    if (host != nullptr) head.fields.set("Host", head.host);
    return {};
  }
  if (host == nullptr) return {};
  head.host = host->value;
  if (head.host.empty() && !needed) return {};
  head.host_parts = memo.split(head.host);
  if (!head.host_parts) return refuse(Code::bad_host, head.host);
  return {};
}

// A line is cut short by a byte that may not stand in it.
std::unexpected<RequestFault> refuse_control(char c, std::string_view line) {
  const std::string_view text = line.substr(0, token_length(line));
  if (c == '\n') return refuse(Code::bare_lf, text);
  return refuse(c == '\r' ? Code::bare_cr : Code::control_byte, text);
}

// Fields that decide where a message goes or ends: no head may hold two of them.
constexpr bool stands_alone(FieldId id) noexcept {
  return id == FieldId::host || id == FieldId::content_length || id == FieldId::transfer_encoding;
}

// What only the whole head can tell.
std::expected<void, RequestFault> finish(RequestHead& head, const RequestLimits& limits,
                                         HostMemo& memo) {
  const FieldList& fields = head.fields;
  // httpd counts repeated lines together. A head that is shorter than the limit has no such field.
  if (fields.may_have_duplicates() && head.head_bytes > limits.field_bytes_max) {
    const Field* row = find_too_long_joined(fields, limits.field_bytes_max);
    if (row != nullptr) return refuse(Code::field_too_long, row->name);
  }
  if (const auto settled = settle_host(head, memo); !settled) return settled;
  if (fields.has(FieldId::transfer_encoding) || fields.has(FieldId::content_length)) {
    if (const auto framed = frame_body(head); !framed) return framed;
  }
  if (fields.has(FieldId::connection)) {
    for (const Field& row : fields) {
      if (row.id == FieldId::connection) read_connection(row.value, head.connection);
    }
  }
  if (fields.has(FieldId::expect)) read_expectation(head);
  return {};
}

}  // namespace

void read_expectation(RequestHead& head) {
  for (const Field& row : head.fields) {
    if (row.id != FieldId::expect || row.value.empty()) continue;
    const bool known = equals_ignoring_case(row.value, "100-continue");
    // httpd joins repeated fields: "100-continue, 100-continue" is another expectation.
    if (!known || head.expects_continue) head.expects_the_unknown = true;
    head.expects_continue = true;
  }
  // 1.0 knows no interim answers; httpd does not keep a connection on which one is expected.
  if (head.version == http_1_0 && head.expects_continue) head.connection.close = true;
  if (head.version == http_1_0 || head.expects_the_unknown) head.expects_continue = false;
}

void RequestHead::clear() noexcept {
  FieldList kept = std::move(fields);
  kept.clear();
  *this = RequestHead{};
  fields = std::move(kept);
}

std::size_t RequestHeadReader::fields_max() const noexcept {
  return limits_.fields_max == 0 ? unlimited_fields_max : limits_.fields_max;
}

void RequestHeadReader::reset() noexcept {
  state_ = State::expecting_line;
  started_ = false;
  empty_lines_ = line_begin_ = scanned_ = 0;
  base_ = 0;
}

std::expected<HeadProgress, RequestFault> RequestHeadReader::read(std::string_view buffer,
                                                                  RequestHead& head) {
  CHECK(state_ != State::complete && buffer.size() >= scanned_);
  follow_buffer(buffer, head);
  const char* const data = buffer.data();
  const char* const data_end = data + buffer.size();
  while (true) {
    const char* const end = find_refused<false>(data + scanned_, data_end);
    const char* const begin = data + line_begin_;
    const auto size = static_cast<std::size_t>(end - begin);
    if (end == data_end || (end + 1 == data_end && *end == '\r')) {
      scanned_ = line_begin_ + size;
      const auto unfinished = check_unfinished(buffer.substr(line_begin_), head);
      if (!unfinished) return std::unexpected(unfinished.error());
      return HeadProgress::incomplete;
    }
    if (end[0] != '\r' || end[1] != '\n') {
      const auto limits = check_unfinished({begin, size + 1}, head);
      return limits ? refuse_control(*end, {begin, size}) : std::unexpected(limits.error());
    }
    scanned_ = line_begin_ += size + 2;
    if (state_ == State::expecting_fields && size != 0) {
      if (!add_field({begin, size}, head)) return why_no_field({begin, size}, head);
      continue;
    }
    const Result taken = take_other_line({begin, size}, head);
    if (!taken) return std::unexpected(taken.error());
    if (state_ == State::complete) return HeadProgress::complete;
  }
}

RequestHeadReader::Result RequestHeadReader::take_other_line(std::string_view line,
                                                             RequestHead& head) {
  if (state_ == State::expecting_fields) {
    state_ = State::complete;
    head.head_bytes = line_begin_;
    return finish(head, limits_, host_);
  }
  if (line.empty()) {
    if (++empty_lines_ > leading_empty_lines_max) return refuse(Code::empty_lines);
    return {};
  }
  started_ = true;
  state_ = State::expecting_fields;
  return take_request_line(line, head);
}

RequestHeadReader::Result RequestHeadReader::take_request_line(std::string_view line,
                                                               RequestHead& head) const {
  if (line.size() > limits_.line_bytes_max + 1) {
    return refuse(Code::line_too_long, line.substr(0, limits_.line_bytes_max), 414);
  }
  head.line = line;
  const std::size_t method_end = token_length(line);
  if (method_end == line.size()) return refuse(Code::malformed_line, line);
  if (line[method_end] != ' ') return refuse(Code::bad_method, line);
  if (method_end == 0) return refuse(Code::malformed_line, line);
  head.method = line.substr(0, method_end);
  head.method_id = method_of(head.method);
  const std::string_view rest = line.substr(method_end + 1);
  const std::size_t blank = rest.find(' ');
  const std::string_view target = rest.substr(0, blank);
  if (target.empty()) return refuse(Code::malformed_line, line);
  const auto fault = split_target(target,
                                  {.is_connect = head.method_id == Method::connect,
                                   .is_options = head.method_id == Method::options},
                                  head.target);
  if (fault) return refuse(code_of(*fault), target);
  if (blank == std::string_view::npos) return refuse(Code::no_version, line);
  const std::string_view version = rest.substr(blank + 1);
  if (!read_version(version, head)) {
    const bool spaced = version.find(' ') != std::string_view::npos;
    return refuse(spaced ? Code::malformed_line : Code::bad_version, version);
  }
  return {};
}

// False when the line is no field of this head; why_no_field says why. Apart so that this, the most
// often run piece of the reader, stays small.
bool RequestHeadReader::add_field(std::string_view line, RequestHead& head) const {
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  const char* const colon = find_colon(begin, end);
  const std::string_view name(begin, static_cast<std::size_t>(colon - begin));
  const FieldId id = field_id(name);
  // A known name is a token.
  if (colon == end || (id == FieldId::other && !is_token(name))) return false;
  if (line.size() > limits_.field_bytes_max + 1 || head.fields.size() >= fields_max()) return false;
  if (stands_alone(id) && head.fields.has(id)) return false;
  head.fields.add(name, trim_blanks({colon + 1, static_cast<std::size_t>(end - colon - 1)}), id);
  return true;
}

std::unexpected<RequestFault> RequestHeadReader::why_no_field(std::string_view line,
                                                              const RequestHead& head) const {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (head.fields.size() >= fields_max()) return refuse(Code::too_many_fields);
  if (line.size() > limits_.field_bytes_max + 1) return refuse(Code::field_too_long, name);
  if (name.starts_with(' ') || name.starts_with('\t')) return refuse(Code::folded_field);
  if (colon == std::string_view::npos) return refuse(Code::no_colon, name);
  if (name.empty()) return refuse(Code::empty_field_name);
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  switch (field_id(name)) {
    case FieldId::host:
      return refuse(Code::several_hosts, value);
    case FieldId::content_length:
      return refuse(Code::several_content_lengths, value);
    case FieldId::transfer_encoding:
      return refuse(Code::bad_transfer_coding, value);
    default:
      break;
  }
  return refuse(is_token(trim_blanks(name)) ? Code::blank_before_colon : Code::bad_field_name,
                name);
}

// Limits are met before the line is complete, so that no peer can make the buffer grow for ever.
RequestHeadReader::Result RequestHeadReader::check_unfinished(std::string_view rest,
                                                              const RequestHead& head) {
  if (state_ == State::expecting_line) {
    if (!rest.empty() && rest != "\r") started_ = true;
    // The CR of the line's end may be among the bytes.
    if (rest.size() > limits_.line_bytes_max + 2) {
      return refuse(Code::line_too_long, rest.substr(0, limits_.line_bytes_max), 414);
    }
    return {};
  }
  if (head.fields.size() >= fields_max() && rest.size() > 1) return refuse(Code::too_many_fields);
  if (rest.size() > limits_.field_bytes_max + 2) {
    return refuse(Code::field_too_long, rest.substr(0, token_length(rest)));
  }
  return {};
}

void RequestHeadReader::follow_buffer(std::string_view buffer, RequestHead& head) noexcept {
  const char* const start = buffer.data();
  const auto now = reinterpret_cast<std::uintptr_t>(start);
  if (base_ == now) return;
  const std::uintptr_t from = std::exchange(base_, now);
  if (state_ != State::expecting_fields) return;
  const Rebase move{from, scanned_, start};
  move(head.line);
  move(head.method);
  move(head.target.text);
  move(head.target.scheme);
  move(head.target.authority);
  move(head.target.path);
  move(head.target.query);
  head.fields.rebase(move);
}

std::string_view describe(RequestFaultCode code) noexcept {
  switch (code) {
    case Code::line_too_long:
      return "the request line is too long";
    case Code::empty_lines:
      return "too many empty lines before the request line";
    case Code::bare_lf:
      return "a line ends with LF without CR";
    case Code::bare_cr:
      return "a CR stands alone";
    case Code::control_byte:
      return "a control byte";
    case Code::malformed_line:
      return "the request line is malformed";
    case Code::bad_method:
      return "the method is no token";
    case Code::bad_version:
      return "the protocol version is not known";
    case Code::no_version:
      return "an HTTP/0.9 request";
    case Code::bad_target:
      return "the request target is malformed";
    case Code::fragment:
      return "a fragment in the request target";
    case Code::too_many_fields:
      return "too many header fields";
    case Code::field_too_long:
      return "a header field is too long";
    case Code::folded_field:
      return "a header field is folded";
    case Code::no_colon:
      return "a header line has no colon";
    case Code::blank_before_colon:
      return "white space before the colon of a header field";
    case Code::empty_field_name:
      return "a header field has no name";
    case Code::bad_field_name:
      return "the name of a header field is no token";
    case Code::no_host:
      return "no Host";
    case Code::several_hosts:
      return "more than one Host";
    case Code::bad_host:
      return "the host name is malformed";
    case Code::bad_content_length:
      return "Content-Length is not a number";
    case Code::several_content_lengths:
      return "more than one Content-Length";
    case Code::length_and_coding:
      return "Content-Length together with Transfer-Encoding";
    case Code::cut_short:
      return "the connection ended before the head did";
    case Code::coding_in_http_1_0:
      return "Transfer-Encoding in HTTP/1.0";
    case Code::bad_transfer_coding:
      return "Transfer-Encoding does not end in one chunked";
    case Code::unsupported_coding:
      return "a transfer coding that is not supported";
  }
  return {};
}

}  // namespace steelyard::http
