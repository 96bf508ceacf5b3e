// A request means the same however it arrives, and what was accepted is clean: no view holds a
// control byte, framing has one source, and writing it out and reading it again changes nothing.
#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "http/hop_by_hop.hpp"
#include "http/path.hpp"
#include "http/request_head.hpp"
#include "http/syntax.hpp"

namespace steelyard {
namespace {

using namespace http;

// Small enough for the search to reach them.
constexpr RequestLimits limits{.line_bytes_max = 120, .field_bytes_max = 100, .fields_max = 12};

std::string fields_text(const FieldList& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  }
  return text;
}

std::string meaning(const RequestHead& head) {
  std::string text = std::string(head.line) + "\n" + std::string(head.method) + "\n" +
                     std::string(head.target.path) + "\n" + std::string(head.target.query) + "\n" +
                     std::string(head.target.authority) + "\n" + std::string(head.host) + "\n";
  text += std::to_string(static_cast<int>(head.body.kind)) + " " +
          std::to_string(head.body.length) + " " + std::to_string(head.version.minor) +
          std::to_string(head.asks_keep_alive()) + std::to_string(head.expects_continue);
  return text + "\n" + fields_text(head.fields);
}

// The head's meaning, or the fault; `step` bytes arrive at a time.
std::string read(std::string_view input, std::size_t step, RequestHead& head, Pieces& pieces) {
  RequestHeadReader reader(limits);
  for (std::size_t size = std::min(step, input.size());;
       size = std::min(size + step, input.size())) {
    const auto progress = reader.read(pieces.prefix(size), head);
    if (!progress) {
      return "fault " + std::to_string(progress.error().status) +
             std::string(describe(progress.error().code));
    }
    if (*progress == HeadProgress::complete) {
      CHECK(head.head_bytes <= size);
      return "head " + meaning(head) + std::to_string(head.head_bytes);
    }
    if (size == input.size()) return "incomplete";
  }
}

void check_clean(const RequestHead& head) {
  CHECK(is_token(head.method));
  CHECK(first_blank_or_control(head.target.text) == head.target.text.size());
  CHECK(head.target.text.find('#') == std::string_view::npos);
  CHECK(head.version.major == 1);
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  for (const Field& field : head.fields) {
    CHECK(is_token(field.name));
    CHECK(field.id == field_id(field.name));
    CHECK(first_control(field.value) == field.value.size());
    CHECK(trim_blanks(field.value) == field.value);
    lengths += field.id == FieldId::content_length ? 1 : 0;
    codings += field.id == FieldId::transfer_encoding ? 1 : 0;
    hosts += field.id == FieldId::host ? 1 : 0;
  }
  CHECK(lengths + codings <= 1 && hosts <= 1);
  CHECK((head.body.kind == BodyFraming::Kind::length) == (lengths == 1));
  CHECK((head.body.kind == BodyFraming::Kind::chunked) == (codings == 1));
  CHECK(head.version == http_1_0 || split_host(head.host));
}

// The path as it would go to a backend means the same there.
void check_path(std::string_view raw) {
  Arena arena;
  for (const EncodedSlashes slashes : {EncodedSlashes::refuse, EncodedSlashes::decode}) {
    const PathRules rules{.encoded_slashes = slashes};
    const auto decoded = decode_path(raw, rules, arena);
    if (!decoded) continue;
    CHECK(decoded->starts_with('/'));
    CHECK(decoded->find('\0') == std::string_view::npos);
    CHECK(("/" + std::string(*decoded) + "/").find("/../") == std::string::npos);
    const std::string_view sent = encode_path(*decoded, slashes, arena);
    CHECK(may_be_forwarded_raw(sent));
    const auto again = decode_path(sent, rules, arena);
    CHECK(again && *again == *decoded);
  }
}

void check_rewritten(RequestHead& head) {
  const std::string written = std::string(head.line) + "\r\n" + fields_text(head.fields) + "\r\n";
  RequestHead again;
  RequestHeadReader reader;
  const auto progress = reader.read(written, again);
  CHECK(progress && *progress == HeadProgress::complete);
  CHECK(meaning(again) == meaning(head));
  Arena arena;
  merge_duplicates(head.fields, arena);
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(!equals_ignoring_case(head.fields[i].name, head.fields[j].name));
    }
  }
  remove_request_hop_by_hop(head.fields);
  for (const FieldId gone : {FieldId::connection, FieldId::te, FieldId::upgrade,
                             FieldId::transfer_encoding, FieldId::content_length}) {
    CHECK(!head.fields.has(gone));
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  Pieces pieces(input);
  RequestHead head;
  const std::string whole = read(input, std::max<std::size_t>(input.size(), 1), head, pieces);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    RequestHead other;
    Pieces others(input);
    CHECK(read(input, step, other, others) == whole);
  }
  if (!whole.starts_with("head")) return;
  check_clean(head);
  if (head.target.form == RequestTarget::Form::origin) check_path(head.target.path);
  check_rewritten(head);
}

}  // namespace steelyard
