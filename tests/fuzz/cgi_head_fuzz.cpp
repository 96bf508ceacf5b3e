// A script's head means the same however it arrives, and none that was accepted can be split: its
// status and fields, written as a head of HTTP/1, are read back as exactly that one head. What
// becomes of a request's target and fields stays within them.
#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "cgi/response_head.hpp"
#include "cgi/variables.hpp"
#include "fuzz.hpp"
#include "http/syntax.hpp"

namespace steelyard {
namespace {

using namespace cgi;

constexpr HeadLimits limits{.line_bytes_max = 60, .fields_max = 6, .head_bytes_max = 300};

std::string meaning(const http::ResponseHead& head) {
  std::string text = std::to_string(head.status) + " " + std::string(head.reason) + "\r\n";
  for (const http::Field& field : head.fields) {
    text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  }
  return text;
}

// Of two limits the one that is met first depends on how the bytes arrive.
std::string fault_text(HeadFault fault) {
  const bool too_long = fault == HeadFault::line_too_long || fault == HeadFault::head_too_long;
  return "fault " + std::string(too_long ? "too long" : describe(fault));
}

std::string read(std::string_view input, std::size_t step, http::ResponseHead& head, Pieces& pieces,
                 Arena& arena) {
  HeadReader reader(limits);
  for (std::size_t size = std::min(step, input.size());;
       size = std::min(size + step, input.size())) {
    const auto whole = reader.read(pieces.prefix(size), http::Method::get, head, arena);
    if (!whole) return fault_text(whole.error());
    if (*whole) {
      CHECK(head.head_bytes <= size);
      return meaning(head) + std::to_string(head.head_bytes);
    }
    if (size == input.size()) return "incomplete";
  }
}

void check_rewritten(const http::ResponseHead& head, Arena& arena) {
  const std::string written = "HTTP/1.1 " + meaning(head) + "\r\n";
  http::ResponseHeadReader reader;
  http::ResponseHead again;
  const auto progress = reader.read(written, http::Method::get, again, arena);
  CHECK(progress && *progress == http::ResponseProgress::complete);
  CHECK(again.head_bytes == written.size() && meaning(again) == meaning(head));
  CHECK(again.body.kind != http::BodyFraming::Kind::chunked);
}

// The input as a path, a target's path, a style and a field's name and value.
void check_variables(std::string_view input, Arena& arena) {
  const std::size_t half = input.size() / 2;
  http::FieldList fields;
  fields.add(input.substr(0, half), input.substr(half));
  const Surroundings around{.scheme = "http", .document_root = "/srv", .server_name = input};
  for (const Protocol protocol : {Protocol::fcgi, Protocol::scgi, Protocol::uwsgi}) {
    for (const std::string_view style : {"1", "unescape", "first-dot", "last-dot"}) {
      expr::Environment variables;
      variables.set("proxy-fcgi-pathinfo", style);
      variables.set("proxy-scgi-pathinfo", style);
      const Request request{.fields = fields, .path = input, .script = input};
      if (!add_variables(request, around, protocol, BackendType::fpm, variables, arena)) continue;
      CHECK(!variables.has("HTTP_PROXY"));
      CHECK(input.starts_with(*variables.find("SCRIPT_NAME")));
      CHECK(variables.find("PATH_INFO").value_or("").size() <= input.size());
    }
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  Arena arena;
  Pieces pieces(input);
  http::ResponseHead head;
  const std::string whole =
      read(input, std::max<std::size_t>(input.size(), 1), head, pieces, arena);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
    http::ResponseHead other;
    Pieces others(input);
    CHECK(read(input, step, other, others, arena) == whole);
  }
  check_variables(input, arena);
  if (is_digit(whole.front())) check_rewritten(head, arena);
}

}  // namespace steelyard
