// A chunked body means the same however it arrives, and what was read can be chunked anew.
#include <algorithm>
#include <array>
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/chunked.hpp"
#include "http/syntax.hpp"

namespace steelyard {
namespace {

using namespace http;

struct Outcome {
  std::string body;
  std::string trailers;
  std::string fault;
  std::size_t consumed = 0;  // not compared after a fault
  bool finished = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view input, std::size_t step_bytes) {
  Outcome outcome;
  ChunkedReader reader;
  FieldList trailers;
  Arena arena;
  reader.collect_trailers(trailers, arena);
  while (outcome.consumed < input.size() && !reader.finished()) {
    const std::size_t size = std::min(step_bytes, input.size() - outcome.consumed);
    const std::string piece(input.substr(outcome.consumed, size));
    const auto step = reader.next(piece);
    if (!step) {
      outcome.fault = describe(step.error().code);
      outcome.consumed = 0;
      return outcome;
    }
    CHECK(step->consumed > 0 && step->consumed <= piece.size());
    outcome.body += step->data;
    outcome.consumed += step->consumed;
  }
  outcome.finished = reader.finished();
  for (const Field& field : trailers) {
    CHECK(is_token(field.name) && first_control(field.value) == field.value.size());
    outcome.trailers += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  }
  return outcome;
}

void check_rewritten(const Outcome& outcome) {
  std::array<char, chunk_head_bytes_max> room;
  std::string written;
  for (std::size_t at = 0; at < outcome.body.size(); at += 300) {
    const std::string piece = outcome.body.substr(at, 300);
    written += std::string(write_chunk_head(room, piece.size())) + piece + std::string(chunk_end);
  }
  written += std::string(last_chunk_head) + outcome.trailers + "\r\n";
  const Outcome again = read(written, written.size());
  CHECK(again.finished && again.body == outcome.body && again.trailers == outcome.trailers);
  CHECK(again.consumed == written.size());
}

}  // namespace

void fuzz_one(std::string_view input) {
  const Outcome whole = read(input, std::max<std::size_t>(input.size(), 1));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{50}}) {
    CHECK(read(input, step) == whole);
  }
  if (whole.finished) check_rewritten(whole);
}

}  // namespace steelyard
