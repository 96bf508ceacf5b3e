#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// Which trace a request belongs to, as its head says it (W3C Trace Context).
//
//   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//                version   trace id                  parent's span id  flags: 01 sampled
//
// Threads: pure.

namespace steelyard::trace {

struct TraceId {
  std::uint64_t high = 0, low = 0;
  bool is_zero() const { return (high | low) == 0; }
  bool operator==(const TraceId&) const = default;
};
using SpanId = std::uint64_t;  // 0: none

struct Context {
  TraceId trace;
  SpanId parent = 0;
  bool sampled = false;
  bool operator==(const Context&) const = default;
};

// The value of a traceparent field, without blanks around it. Nothing: it is none, and a new trace
// begins (W3C Trace Context 4.3). Of versions to come what version 00 has is read (3.2.4).
std::optional<Context> read_traceparent(std::string_view value);

// Whether a tracestate field may be passed on: at most 32 members, each once (W3C Trace Context
// 3.3). Keys may have what level 2 of the recommendation allows.
bool is_tracestate(std::string_view value);

// Lower-case hexadecimal digits.
using TraceIdText = std::array<char, 32>;
using SpanIdText = std::array<char, 16>;
TraceIdText text_of(const TraceId& id);
SpanIdText text_of(SpanId id);

// Of version 00. Flags that it does not know are not set.
using TraceparentText = std::array<char, 55>;
TraceparentText write_traceparent(const Context& context);

template <std::size_t Size>
std::string_view view_of(const std::array<char, Size>& text) {
  return {text.data(), text.size()};
}

}  // namespace steelyard::trace
