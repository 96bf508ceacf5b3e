#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "trace/context.hpp"

// Spans as OTLP/HTTP has them in JSON (OTLP 1.9, "JSON Protobuf Encoding": ids in hexadecimal
// digits, enums as numbers, 64-bit numbers as strings).
//
//   envelope_front() span , span , ... envelope_back
//
// Threads: pure; a writer has one owner.

namespace steelyard::trace {

enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3 };

struct SpanHead {
  TraceId trace{};
  SpanId id = 0, parent = 0;  // parent 0: it is the first of its trace
  bool parent_is_remote = false;
  std::string_view name{};
  SpanKind kind = SpanKind::internal;
  WallTime began{}, ended{};
};

// begin(), attributes, perhaps failed(), end(); then the next span.
class SpanWriter {
 public:
  explicit SpanWriter(std::string& out) : out_(out) {}

  void begin(const SpanHead& head);
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::int64_t value);
  // `why` may be empty.
  void failed(std::string_view why);
  void end();

  std::size_t count() const { return count_; }

 private:
  enum class Part : std::uint8_t { none, attributes, status };
  void leave_attributes();

  std::string& out_;
  std::size_t count_ = 0;
  bool has_attributes_ = false;
  Part part_ = Part::none;
};

using Attributes = std::vector<std::pair<std::string, std::string>>;
// `resource`: what the spans were made by, "service.name" and the like.
std::string envelope_front(const Attributes& resource, std::string_view version);
inline constexpr std::string_view envelope_back = "]}]}]}";

}  // namespace steelyard::trace
