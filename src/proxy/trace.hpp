#pragma once

#include "expr/timeline.hpp"
#include "http/head_text.hpp"
#include "proxy/core.hpp"

// An exchange's place in a trace (SteelyardTrace On; W3C Trace Context).
//
//   caller's span ─▶ the exchange's span (server) ─▶ each attempt's (client) ─▶ the member's
//
// Threads: the shard's.

namespace steelyard::proxy {

// Joins the caller's trace or begins one. Once the request's fields may be trusted to be what
// RequestHeader ... early made of them; further calls for the exchange change nothing.
void join_trace(Exchange& x, Shard::Core& core);

inline bool is_traced(Exchange& x) {
  const expr::Timeline* const timeline = x.timeline_kept();
  return timeline != nullptr && timeline->has_trace();
}
// Whether the field says what trace the request belongs to: the member gets our word for it.
bool is_trace_field(std::string_view name);
// traceparent, with the attempt that is under way as the parent, and the tracestate that came.
void append_trace_fields(Exchange& x, http::HeadText& out);

// The spans of the exchange, if they are recorded. After end_timeline().
void record_spans(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
