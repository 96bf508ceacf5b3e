#include "http/response_head.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "http/block_scan.hpp"
#include "http/hop_by_hop.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

using Code = ResponseFaultCode;
using Progress = ResponseProgress;

std::unexpected<ResponseFault> refuse(Code code, std::string_view text = {}, int status = 502) {
  return std::unexpected(ResponseFault{status, code, text});
}

// "HTTP/d.d ddd", or as much of it as `text` is long.
bool may_be_status_line(std::string_view text) noexcept {
  constexpr std::string_view shape = "HTTP/d.d ddd";
  const std::size_t size = std::min(text.size(), shape.size());
  for (std::size_t i = 0; i < size; ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}
constexpr std::size_t status_line_bytes_min = 12;

bool is_status_line(std::string_view line) noexcept {
  return line.size() >= status_line_bytes_min && may_be_status_line(line);
}

// What stands behind the code. httpd words the status itself when that is not a clean phrase.
std::string_view reason_of(std::string_view line, int status) noexcept {
  const std::string_view rest = line.substr(status_line_bytes_min);
  if (rest.empty()) return rest;
  const std::string_view reason = rest.substr(1);
  if (rest.front() != ' ' || first_control(reason) != reason.size()) return reason_phrase(status);
  return reason;
}

std::expected<void, ResponseFault> check_value(std::string_view value, std::string_view name) {
  const std::size_t bad = first_control(value);
  if (bad == value.size()) return {};
  return refuse(Code::control_byte, name, value[bad] == '\0' ? 502 : 500);
}

std::unexpected<ResponseFault> refuse_name(std::string_view line, std::size_t name_end) {
  const std::string_view text = line.substr(0, line.find(':'));
  if (text.find('\0') != std::string_view::npos) return refuse(Code::control_byte, text);
  const bool blank = name_end != 0 && trim_blanks(text).size() == name_end;
  return refuse(blank ? Code::blank_before_colon : Code::bad_field_name, text, 500);
}

// All Content-Length rows say the same number, and one of them stays.
std::expected<BodyFraming, ResponseFault> read_length(FieldList& fields) {
  BodyFraming framing{BodyFraming::Kind::until_close, 0};
  std::string_view first;
  std::size_t rows = 0;
  for (const Field& row : fields) {
    if (row.id != FieldId::content_length) continue;
    const auto bytes = parse_length(row.value);
    const bool differs = rows != 0 && bytes != framing.length;
    if (!bytes || differs) return refuse(Code::bad_content_length, row.value);
    framing = {BodyFraming::Kind::length, *bytes};
    first = row.value;
    ++rows;
  }
  if (rows > 1) fields.set("Content-Length", first);
  return framing;
}

// "chunked" once, or "identity", which is none at all. A body in another coding could not be passed
// on.
std::expected<BodyFraming, ResponseFault> read_coding(const FieldList& fields) {
  BodyFraming framing{BodyFraming::Kind::until_close, 0};
  std::size_t rows = 0;
  for (const Field& row : fields) {
    if (row.id != FieldId::transfer_encoding) continue;
    const bool chunked = equals_ignoring_case(row.value, "chunked");
    if (++rows > 1 || (!chunked && !equals_ignoring_case(row.value, "identity"))) {
      return refuse(Code::bad_transfer_coding, row.value);
    }
    if (chunked) framing.kind = BodyFraming::Kind::chunked;
  }
  return framing;
}

std::expected<void, ResponseFault> finish(Method request, ResponseHead& head) {
  FieldList& fields = head.fields;
  for (const Field& row : fields) {
    if (row.id == FieldId::connection) read_connection(row.value, head.connection);
  }
  const bool coded = fields.has(FieldId::transfer_encoding);
  head.has_length_and_coding = coded && fields.has(FieldId::content_length);
  if (head.has_length_and_coding) fields.remove(FieldId::content_length);
  const auto framing = coded ? read_coding(fields) : read_length(fields);
  if (!framing) return std::unexpected(framing.error());
  head.body = *framing;
  if (is_interim(head.status) || head.status == 204) fields.remove(FieldId::content_length);
  if (request == Method::head || has_no_body(head.status)) head.body = BodyFraming{};
  head.may_reuse = head.version.minor >= 1 && !head.connection.close && head.status != 101 &&
                   !head.has_length_and_coding && head.body.kind != BodyFraming::Kind::until_close;
  return {};
}

// The piece behind the value: in place when the value is the latest text of the arena, so that a
// field of many short continuation lines is not copied for each of them.
std::string_view append(std::string_view value, std::string_view piece, Arena& arena) {
  char* const room = arena.take(piece.size());
  if (room == value.data() + value.size()) {
    std::ranges::copy(piece, room);
    return {value.data(), value.size() + piece.size()};
  }
  arena.give_back(piece.size(), 0);
  return arena.join(value, piece);
}

}  // namespace

void ResponseHead::clear() noexcept {
  FieldList kept = std::move(fields);
  kept.clear();
  *this = ResponseHead{};
  fields = std::move(kept);
}

void ResponseHeadReader::reset() noexcept { *this = ResponseHeadReader(limits_, bad_header_); }

void ResponseHeadReader::set_rules(ResponseLimits limits, BadHeader bad_header) noexcept {
  limits_ = limits;
  bad_header_ = bad_header;
}

std::expected<ResponseProgress, ResponseFault> ResponseHeadReader::read(std::string_view buffer,
                                                                        Method request,
                                                                        ResponseHead& head,
                                                                        Arena& arena) {
  CHECK(state_ != State::complete && buffer.size() >= scanned_);
  follow_buffer(buffer, head);
  while (true) {
    take_clean_fields(buffer, head);
    const char* data = buffer.data();
    const void* found = scanned_ < buffer.size()
                            ? std::memchr(data + scanned_, '\n', buffer.size() - scanned_)
                            : nullptr;
    if (found == nullptr) {
      scanned_ = buffer.size();
      return check_unfinished(buffer.substr(line_begin_));
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - data);
    std::string_view line = buffer.substr(line_begin_, end - line_begin_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    scanned_ = end + 1;
    if (state_ != State::expecting_line && scanned_ > limits_.head_bytes_max) {
      return refuse(Code::head_too_long);
    }
    const Line taken = take_line(line, head, arena);
    if (!taken || *taken == Progress::no_status_line) return taken;
    if (*taken == Progress::complete) {
      state_ = State::complete;
      const auto finished = finish(request, head);
      if (!finished) return std::unexpected(finished.error());
      return taken;
    }
    line_begin_ = scanned_;
  }
}

// The usual "name: value CR LF" lines, looked at once. Stops in front of any other, which the
// callers' slower way judges.
void ResponseHeadReader::take_clean_fields(std::string_view buffer, ResponseHead& head) {
  if (state_ != State::expecting_fields || scanned_ != line_begin_) return;
  const char* const data_end = buffer.data() + buffer.size();
  while (true) {
    const char* const begin = buffer.data() + line_begin_;
    const char* const end = find_refused<false>(begin, data_end);
    if (data_end - end < 2 || end[0] != '\r' || end[1] != '\n') return;
    const char* const colon = find_colon(begin, end);
    const std::string_view name(begin, static_cast<std::size_t>(colon - begin));
    const FieldId id = field_id(name);
    // A known name is a token.
    if (colon == end || (id == FieldId::other && !is_token(name))) return;
    const auto bytes = static_cast<std::size_t>(end - begin);
    const std::size_t next = line_begin_ + bytes + 2;
    if (bytes > limits_.field_bytes_max || next > limits_.head_bytes_max) return;
    if (head.fields.size() >= limits_.fields_max) return;
    head.fields.add(name, trim_blanks({colon + 1, static_cast<std::size_t>(end - colon - 1)}), id);
    line_begin_ = scanned_ = next;
  }
}

ResponseHeadReader::Line ResponseHeadReader::take_line(std::string_view line, ResponseHead& head,
                                                       Arena& arena) {
  if (state_ == State::expecting_line) return take_status_line(line, head);
  head.head_bytes = scanned_;
  if (line.empty()) return Progress::complete;
  const Line taken = take_field(line, head, arena);
  // Under start_body the body begins behind the bad line (httpd).
  if (taken && *taken == Progress::complete) head.head_bytes = scanned_;
  return taken;
}

ResponseHeadReader::Line ResponseHeadReader::take_status_line(std::string_view line,
                                                              ResponseHead& head) {
  if (line.empty()) {
    if (std::exchange(skipped_empty_line_, true)) return refuse(Code::empty_lines);
    return Progress::incomplete;
  }
  if (!is_status_line(line)) return Progress::no_status_line;
  if (line.size() > limits_.line_bytes_max) {
    return refuse(Code::line_too_long, line.substr(0, status_line_bytes_min));
  }
  head.line = line;
  if (line[5] != '1') return refuse(Code::bad_version, line);
  head.version = {1, static_cast<std::uint8_t>(line[7] - '0')};
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head.status < 100) return refuse(Code::bad_status, line);
  head.reason = reason_of(line, head.status);
  state_ = State::expecting_fields;
  return Progress::incomplete;
}

ResponseHeadReader::Line ResponseHeadReader::take_field(std::string_view line, ResponseHead& head,
                                                        Arena& arena) {
  const std::size_t name_end = token_length(line);
  const std::string_view name = line.substr(0, name_end);
  if (line.size() > limits_.field_bytes_max) return refuse(Code::field_too_long, name);
  if (line.front() == ' ' || line.front() == '\t') {
    if (state_ == State::skipping_field) return Progress::incomplete;
    const auto unfolded = unfold(line, head, arena);
    if (!unfolded) return std::unexpected(unfolded.error());
    return Progress::incomplete;
  }
  state_ = State::expecting_fields;
  if (name_end == line.size() || line[name_end] != ':' || name_end == 0) {
    if (line.find(':') == std::string_view::npos) return take_line_without_colon(line);
    return refuse_name(line, name_end);
  }
  if (head.fields.size() >= limits_.fields_max) return refuse(Code::too_many_fields);
  const std::string_view value = trim_blanks(line.substr(name_end + 1));
  if (const auto checked = check_value(value, name); !checked) {
    return std::unexpected(checked.error());
  }
  head.fields.add(name, value);
  return Progress::incomplete;
}

// A second status line is always skipped (httpd); what else has no colon, ProxyBadHeader decides.
ResponseHeadReader::Line ResponseHeadReader::take_line_without_colon(std::string_view line) {
  if (is_status_line(line) || bad_header_ == BadHeader::ignore) {
    state_ = State::skipping_field;
    return Progress::incomplete;
  }
  if (bad_header_ == BadHeader::start_body) return Progress::complete;
  return refuse(Code::no_colon, line);
}

// httpd puts a continuation line with its leading blanks behind the value.
ResponseHeadReader::Result ResponseHeadReader::unfold(std::string_view line, ResponseHead& head,
                                                      Arena& arena) const {
  if (head.fields.empty()) return refuse(Code::bad_field_name, {}, 500);
  const std::size_t last = head.fields.size() - 1;
  const Field& field = head.fields[last];
  const std::string_view text = trim_blanks(line);
  if (field.name.size() + field.value.size() + line.size() > limits_.field_bytes_max) {
    return refuse(Code::field_too_long, field.name);
  }
  if (const auto checked = check_value(text, field.name); !checked) return checked;
  if (text.empty()) return {};
  if (field.value.empty()) {
    head.fields.set_value(last, text);
    return {};
  }
  const auto with_blanks = static_cast<std::size_t>(text.data() - line.data()) + text.size();
  head.fields.set_value(last, append(field.value, line.substr(0, with_blanks), arena));
  return {};
}

ResponseHeadReader::Line ResponseHeadReader::check_unfinished(std::string_view rest) const {
  if (state_ == State::expecting_line) {
    if (rest.size() <= limits_.line_bytes_max + 1) return Progress::incomplete;
    if (!may_be_status_line(rest)) return Progress::no_status_line;
    return refuse(Code::line_too_long);
  }
  if (rest.size() > limits_.field_bytes_max + 1) {
    return refuse(Code::field_too_long, rest.substr(0, token_length(rest)));
  }
  if (scanned_ > limits_.head_bytes_max) return refuse(Code::head_too_long);
  return Progress::incomplete;
}

void ResponseHeadReader::follow_buffer(std::string_view buffer, ResponseHead& head) noexcept {
  const char* const start = buffer.data();
  const auto now = reinterpret_cast<std::uintptr_t>(start);
  if (base_ == now) return;
  const std::uintptr_t from = std::exchange(base_, now);
  if (state_ == State::expecting_line) return;
  const Rebase move{from, scanned_, start};
  move(head.line);
  move(head.reason);
  head.fields.rebase(move);
}

std::string_view describe(ResponseFaultCode code) noexcept {
  switch (code) {
    case Code::empty_lines:
      return "empty lines before the status line";
    case Code::bad_version:
      return "the protocol version is not HTTP/1";
    case Code::bad_status:
      return "the status code is below 100";
    case Code::line_too_long:
      return "the status line is too long";
    case Code::field_too_long:
      return "a header field is too long";
    case Code::too_many_fields:
      return "too many header fields";
    case Code::head_too_long:
      return "the header is too long";
    case Code::no_colon:
      return "a header line has no colon";
    case Code::blank_before_colon:
      return "white space before the colon of a header field";
    case Code::bad_field_name:
      return "the name of a header field is no token";
    case Code::control_byte:
      return "a control byte in a header field";
    case Code::bad_content_length:
      return "Content-Length is not one number";
    case Code::bad_transfer_coding:
      return "a transfer coding that is not chunked";
  }
  return {};
}

}  // namespace steelyard::http
