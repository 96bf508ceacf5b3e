#include "cgi/response_head.hpp"

#include <algorithm>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"

namespace steelyard::cgi {

namespace {

using Unread = std::expected<void, HeadFault>;

constexpr int status_max = 999;

// The line without its end; `text` begins behind it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// httpd: the number is read as C does, and a text that is not "ddd reason" loses its words. What is
// no status of HTTP is a 500 with the script's body.
Unread take_status(std::string_view value, http::ResponseHead& head) {
  const std::int64_t number = parse_lax(value);
  head.status = number < 100 || number > status_max ? 500 : static_cast<int>(number);
  if (http::is_interim(head.status)) return std::unexpected(HeadFault::interim);
  const bool worded = head.status == number && value.size() > 4 && value[3] == ' ';
  head.reason = worded ? http::trim_blanks(value.substr(4)) : std::string_view();
  if (head.reason.empty()) head.reason = http::reason_phrase(head.status);
  return {};
}

// httpd writes the type itself in lower case, not its parameters.
std::string_view lower_type(std::string_view value, Arena& arena) {
  const std::string_view type = value.substr(0, value.find(';'));
  if (std::ranges::none_of(type, [](char c) { return c != ascii_lower(c); })) return value;
  char* const room = arena.take(value.size());
  char* const behind = std::ranges::transform(type, room, ascii_lower).out;
  std::ranges::copy(value.substr(type.size()), behind);
  return {room, value.size()};
}

// Of these the last one counts (httpd sets them instead of adding them).
bool is_single(http::FieldId id) {
  using enum http::FieldId;
  return id == location || id == content_range || id == etag || id == last_modified ||
         id == content_type;
}

// Lengths that differ, or are none, tell nothing.
void take_length(std::string_view value, std::optional<std::uint64_t>& told) {
  const std::uint64_t length = http::parse_length(value).value_or(0);
  told = told && *told != length ? 0 : length;
}

Unread take_field(std::string_view line, http::ResponseHead& head,
                  std::optional<std::uint64_t>& told_length, Arena& arena) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::unexpected(HeadFault::no_colon);
  const std::string_view name = line.substr(0, colon);
  if (!http::is_token(name)) return std::unexpected(HeadFault::bad_field_name);
  std::string_view value = http::trim_blanks(line.substr(colon + 1));
  if (http::first_control(value) != value.size()) return std::unexpected(HeadFault::control_byte);
  if (equals_ignoring_case(name, "Status")) return take_status(value, head);
  const http::FieldId id = http::field_id(name);
  if (id == http::FieldId::content_length) take_length(value, told_length);
  if (id == http::FieldId::transfer_encoding || id == http::FieldId::content_length) return {};
  if (id == http::FieldId::content_type) value = lower_type(value, arena);
  if (id == http::FieldId::content_type && value.empty()) {  // httpd: no type is told
    head.fields.remove(id);
    return {};
  }
  if (is_single(id)) {
    head.fields.set(name, value);
  } else {
    head.fields.add(name, value);
  }
  return {};
}

Unread take_head(std::string_view text, const HeadLimits& limits, http::ResponseHead& head,
                 std::optional<std::uint64_t>& told_length, Arena& arena) {
  head.version = http::http_1_1;
  head.status = 200;
  head.reason = http::reason_phrase(head.status);
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    if (const Unread taken = take_field(line, head, told_length, arena); !taken) return taken;
    if (head.fields.size() > limits.fields_max) return std::unexpected(HeadFault::too_many_fields);
  }
  return {};
}

}  // namespace

std::string_view describe(HeadFault fault) {
  switch (fault) {
    case HeadFault::line_too_long:
      return "a header line of the script is too long";
    case HeadFault::too_many_fields:
      return "too many header fields from the script";
    case HeadFault::head_too_long:
      return "the script's header is too long";
    case HeadFault::no_colon:
      return "a header line of the script has no colon";
    case HeadFault::bad_field_name:
      return "a header line of the script has no valid name";
    case HeadFault::control_byte:
      return "a header field of the script holds a control byte";
    case HeadFault::interim:
      return "the script's status is below 200";
  }
  return "";
}

std::expected<bool, HeadFault> HeadReader::read(std::string_view buffer, http::Method request,
                                                http::ResponseHead& head, Arena& arena) {
  while (true) {
    const std::size_t end = buffer.find('\n', scanned_);
    const std::size_t line_end = std::min(end, buffer.size());
    std::string_view line = buffer.substr(line_begin_, line_end - line_begin_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limits_.line_bytes_max) return std::unexpected(HeadFault::line_too_long);
    if (line_end > limits_.head_bytes_max) return std::unexpected(HeadFault::head_too_long);
    scanned_ = line_end;
    if (end == std::string_view::npos) return false;
    scanned_ = line_begin_ = end + 1;
    if (line.empty()) break;
  }
  std::optional<std::uint64_t> told_length;
  const std::string_view text = buffer.substr(0, scanned_);
  if (const Unread taken = take_head(text, limits_, head, told_length, arena); !taken)
    return std::unexpected(taken.error());
  told_length_ = told_length.value_or(0);
  head.head_bytes = scanned_;
  const bool bodiless = request == http::Method::head || http::has_no_body(head.status);
  if (!bodiless) head.body = {http::BodyFraming::Kind::until_close, 0};
  return true;
}

bool frame_uwsgi_answer(http::ResponseHead& head) {
  using Kind = http::BodyFraming::Kind;
  if (http::is_interim(head.status)) return false;
  head.fields.remove(http::FieldId::transfer_encoding);
  if (head.body.kind == Kind::chunked) head.body = {Kind::until_close, 0};
  return true;
}

}  // namespace steelyard::cgi
