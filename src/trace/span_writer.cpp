#include "trace/span_writer.hpp"

#include <charconv>

#include "base/check.hpp"
#include "base/json_text.hpp"

namespace steelyard::trace {

namespace {

void append_number(std::int64_t number, std::string& out) {
  char digits[20];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

void append_nanoseconds(std::string_view key, WallTime when, std::string& out) {
  out.append(",\"").append(key).append("\":\"");
  append_number(std::chrono::duration_cast<Duration>(when.time_since_epoch()).count(), out);
  out += '"';
}

// Bits 0 to 7: the trace's flags. Bit 8: it is known whether the parent is remote; bit 9: it is.
constexpr std::int64_t sampled = 1, knows_remote = 0x100, is_remote = 0x200;

void append_attribute(std::string_view key, std::string_view value, std::string& out) {
  out.append("{\"key\":\"").append(key).append("\",\"value\":{\"stringValue\":");
  append_json_string(value, out);
  out += "}}";
}

}  // namespace

void SpanWriter::begin(const SpanHead& head) {
  CHECK(part_ == Part::none);
  if (count_++ != 0) out_ += ',';
  out_.append("{\"traceId\":\"").append(view_of(text_of(head.trace)));
  out_.append("\",\"spanId\":\"").append(view_of(text_of(head.id)));
  if (head.parent != 0) out_.append("\",\"parentSpanId\":\"").append(view_of(text_of(head.parent)));
  out_ += "\",\"flags\":";
  append_number(sampled | knows_remote | (head.parent_is_remote ? is_remote : 0), out_);
  out_ += ",\"name\":";
  append_json_string(head.name, out_);
  out_ += ",\"kind\":";
  append_number(static_cast<std::int64_t>(head.kind), out_);
  append_nanoseconds("startTimeUnixNano", head.began, out_);
  append_nanoseconds("endTimeUnixNano", head.ended, out_);
  out_ += ",\"attributes\":[";
  part_ = Part::attributes;
  has_attributes_ = false;
}

void SpanWriter::text(std::string_view key, std::string_view value) {
  CHECK(part_ == Part::attributes);
  if (std::exchange(has_attributes_, true)) out_ += ',';
  append_attribute(key, value, out_);
}

void SpanWriter::number(std::string_view key, std::int64_t value) {
  CHECK(part_ == Part::attributes);
  if (std::exchange(has_attributes_, true)) out_ += ',';
  out_.append("{\"key\":\"").append(key).append("\",\"value\":{\"intValue\":\"");
  append_number(value, out_);
  out_ += "\"}}";
}

void SpanWriter::failed(std::string_view why) {
  leave_attributes();
  out_ += ",\"status\":{\"code\":2";
  if (!why.empty()) {
    out_ += ",\"message\":";
    append_json_string(why, out_);
  }
  out_ += '}';
}

void SpanWriter::leave_attributes() {
  CHECK(part_ == Part::attributes);
  out_ += ']';
  part_ = Part::status;
}

void SpanWriter::end() {
  if (part_ == Part::attributes) leave_attributes();
  out_ += '}';
  part_ = Part::none;
}

std::string envelope_front(const Attributes& resource, std::string_view version) {
  std::string text = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  bool is_first = true;
  for (const auto& [key, value] : resource) {
    if (!std::exchange(is_first, false)) text += ',';
    append_attribute(key, value, text);
  }
  text += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"steelyard\",\"version\":";
  append_json_string(version, text);
  return text + "},\"spans\":[";
}

}  // namespace steelyard::trace
