// A response means the same however it arrives, and none that was accepted can be split: its status
// line and fields, written out, are read back as exactly that one head.
#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "http/cookie.hpp"
#include "http/date.hpp"
#include "http/hop_by_hop.hpp"
#include "http/response_head.hpp"
#include "http/syntax.hpp"

namespace steelyard {
namespace {

using namespace http;

constexpr ResponseLimits limits{
    .line_bytes_max = 100, .field_bytes_max = 100, .fields_max = 12, .head_bytes_max = 700};

struct Setting {
  Method request = Method::get;
  BadHeader bad_header = BadHeader::is_error;
};

std::string fields_text(const FieldList& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  }
  return text;
}

std::string meaning(const ResponseHead& head) {
  return std::to_string(head.status) + " " + std::string(head.reason) + "\n" +
         std::to_string(static_cast<int>(head.body.kind)) + " " + std::to_string(head.body.length) +
         "\n" + fields_text(head.fields);
}

// Which of two limits a long line meets first depends on how it arrives.
std::string fault_text(const ResponseFault& fault) {
  const bool too_long = fault.code == ResponseFaultCode::line_too_long ||
                        fault.code == ResponseFaultCode::field_too_long ||
                        fault.code == ResponseFaultCode::head_too_long;
  return "fault " + std::to_string(fault.status) +
         std::string(too_long ? "too long" : describe(fault.code));
}

// Either word begins with a letter, a head's meaning with a digit.
std::string read(std::string_view input, std::size_t step, Setting setting, ResponseHead& head,
                 Pieces& pieces, Arena& arena) {
  ResponseHeadReader reader(limits, setting.bad_header);
  for (std::size_t size = std::min(step, input.size());;
       size = std::min(size + step, input.size())) {
    const auto progress = reader.read(pieces.prefix(size), setting.request, head, arena);
    if (!progress) {
      return fault_text(progress.error());
    }
    if (*progress == ResponseProgress::no_status_line) return "no status line";
    if (*progress == ResponseProgress::complete) {
      CHECK(head.head_bytes <= size);
      return meaning(head) + std::to_string(head.head_bytes) + std::to_string(head.may_reuse);
    }
    if (size == input.size()) return "incomplete";
  }
}

void check_clean(const ResponseHead& head) {
  CHECK(head.status >= 100 && head.status <= 999);
  CHECK(first_control(head.reason) == head.reason.size());
  for (const Field& field : head.fields) {
    CHECK(is_token(field.name));
    CHECK(first_control(field.value) == field.value.size());
  }
  CHECK(!head.fields.has(FieldId::content_length) || !head.fields.has(FieldId::transfer_encoding));
  CHECK(!head.may_reuse || head.body.kind != BodyFraming::Kind::until_close);
}

void check_rewritten(const ResponseHead& head, Setting setting, Arena& arena) {
  const std::string status = std::to_string(head.status);
  const std::string written = "HTTP/1.1 " + status + " " + std::string(head.reason) + "\r\n" +
                              fields_text(head.fields) + "\r\n";
  ResponseHead again;
  ResponseHeadReader reader;
  const auto progress = reader.read(written, setting.request, again, arena);
  CHECK(progress && *progress == ResponseProgress::complete);
  CHECK(again.head_bytes == written.size());
  CHECK(meaning(again) == meaning(head));
}

void check_edited(ResponseHead& head, Arena& arena) {
  const CookieMapping mappings[] = {{"/b", "/aa"}, {"x", "y"}};
  for (const Field& field : head.fields) {
    const auto cookie = rewrite_set_cookie(field.value, mappings, mappings, arena);
    CHECK(first_control(cookie) == cookie.size());
    const auto date = normalise_date(field.value, arena);
    CHECK(normalise_date(date, arena) == date);
  }
  remove_response_hop_by_hop(head.fields);
  CHECK(!head.fields.has(FieldId::connection) && !head.fields.has(FieldId::transfer_encoding));
}

}  // namespace

// The first byte chooses the setting.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned>(static_cast<unsigned char>(input.front()));
  const Setting setting{.request = (choice & 1) != 0 ? Method::head : Method::get,
                        .bad_header = static_cast<BadHeader>((choice >> 1) % 3)};
  input.remove_prefix(1);
  Arena arena;
  Pieces pieces(input);
  ResponseHead head;
  const std::string whole =
      read(input, std::max<std::size_t>(input.size(), 1), setting, head, pieces, arena);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    ResponseHead other;
    Pieces others(input);
    CHECK(read(input, step, setting, other, others, arena) == whole);
  }
  if (!is_digit(whole.front())) return;
  check_clean(head);
  check_rewritten(head, setting, arena);
  check_edited(head, arena);
}

}  // namespace steelyard
