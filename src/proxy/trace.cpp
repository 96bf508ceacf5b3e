#include "proxy/trace.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "trace/context.hpp"

namespace steelyard::proxy {

namespace {

constexpr std::string_view parent_field = "traceparent", state_field = "tracestate";

bool joins(const config::TraceSettings& tracing, const IpAddress& client) {
  return tracing.joins_all || std::ranges::any_of(tracing.joins, [&](const IpNetwork& network) {
           return network.contains(client);
         });
}

// True with a chance of `share`.
bool draw(double share, trace::IdSource& ids) {
  constexpr double unit = 1.0 / static_cast<double>(std::uint64_t{1} << 53U);
  return static_cast<double>(ids.next() >> 11U) * unit < share;
}

void begin_own_trace(expr::Timeline& timeline, Shard::Core& core, double share) {
  const trace::TraceId id = core.ids.next_trace();
  timeline.trace_high = id.high;
  timeline.trace_low = id.low;
  timeline.sampled = draw(share, core.ids);
  timeline.recorded = timeline.sampled;
}

void join_callers_trace(expr::Timeline& timeline, Shard::Core& core, const trace::Context& caller,
                        trace::SpanSink* sink) {
  timeline.trace_high = caller.trace.high;
  timeline.trace_low = caller.trace.low;
  timeline.parent = caller.parent;
  timeline.sampled = caller.sampled;
  // Whether the trace as a whole is sampled is the caller's word, what we record of it ours.
  timeline.recorded = caller.sampled && sink != nullptr && sink->admits_caller(core.now());
}

}  // namespace

void join_trace(Exchange& x, Shard::Core& core) {
  expr::Timeline* const timeline = x.timeline_kept();
  if (timeline == nullptr || !x.server->tracing.on || timeline->has_trace()) return;
  trace::SpanSink* const sink = core.parts.group.spans;
  const auto value = x.request.fields.value(parent_field);
  std::optional<trace::Context> caller;
  if (value && joins(x.server->tracing, x.client->peer.ip))
    caller = trace::read_traceparent(*value);
  if (caller) {
    join_callers_trace(*timeline, core, *caller, sink);
    const auto state = x.request.fields.value(state_field);
    timeline->passes_state = state && trace::is_tracestate(*state);
  } else {
    begin_own_trace(*timeline, core, x.server->tracing.sampled);
  }
  timeline->recorded = timeline->recorded && sink != nullptr && sink->is_open();
  timeline->span = core.ids.next_span();
  const auto text = trace::text_of({timeline->trace_high, timeline->trace_low});
  x.environment.set("STEELYARD_TRACE_ID", x.arena.copy(trace::view_of(text)));
}

bool is_trace_field(std::string_view name) {
  return equals_ignoring_case(name, parent_field) || equals_ignoring_case(name, state_field);
}

void append_trace_fields(Exchange& x, http::HeadText& out) {
  const expr::Timeline& timeline = *x.timeline_kept();
  const trace::SpanId parent =
      timeline.attempts.empty() ? timeline.span : timeline.attempts.back().span;
  const auto text = trace::write_traceparent(
      {{timeline.trace_high, timeline.trace_low}, parent, timeline.sampled});
  out.append_field(parent_field, trace::view_of(text));
  if (!timeline.passes_state) return;
  if (const auto state = x.request.fields.value(state_field)) out.append_field(state_field, *state);
}

}  // namespace steelyard::proxy
