#include <array>

#include "proxy/trace.hpp"
#include "trace/span_writer.hpp"

// What a finished exchange tells of itself in spans (OpenTelemetry's semantic conventions for HTTP
// spans, 1.23 and later; what they have no name for is called steelyard.*).
//
//   server span ┬─ queue                            internal: waited for a member
//               └─ client span, one an attempt ┬─ connect   and slot before it, where max= is full
//                                              ├─ send
//                                              ├─ wait
//                                              └─ relay
//
// Phases are spans and not events, as whoever looks at a trace sees spans as bars; those that took
// no time that the clock of the loop saw are left out.

namespace steelyard::proxy {

namespace {

using trace::SpanHead;
using trace::SpanKind;
using trace::SpanWriter;

// Methods that may stand in names of spans and as they are in the attribute.
std::string_view known_method(const Exchange& x) {
  return x.request.method_id == http::Method::other ? std::string_view() : x.request.method;
}

class Recorder {
 public:
  Recorder(Exchange& x, Shard::Core& core)
      : x_(x), core_(core), timeline_(*x.timeline_kept()), writer_(core.log_line) {}

  std::size_t write() {
    write_exchange();
    for (const expr::Stage& stage : timeline_.queued) write_stage("queue", stage, timeline_.span);
    for (std::size_t i = 0; i < timeline_.attempts.size(); ++i)
      write_attempt(timeline_.attempts[i], i);
    return writer_.count();
  }

 private:
  // Moments are read from the clock that never jumps.
  WallTime wall(Instant when) const {
    return x_.began + std::chrono::duration_cast<WallTime::duration>(when - x_.began_at);
  }

  void begin(SpanHead head) {
    head.trace = {timeline_.trace_high, timeline_.trace_low};
    writer_.begin(head);
  }

  void write_method() {
    const std::string_view method = known_method(x_);
    writer_.text("http.request.method", method.empty() ? "_OTHER" : method);
    if (method.empty()) writer_.text("http.request.method_original", x_.request.method);
  }

  std::string_view span_name() const {
    const std::string_view method = known_method(x_);
    return method.empty() ? "HTTP" : method;
  }

  void write_address(std::string_view key, const IpAddress& ip) {
    std::array<char, 48> text;
    writer_.text(key, {text.data(), ip.write(text.data(), text.size())});
  }

  void write_exchange() {
    begin({.id = timeline_.span,
           .parent = timeline_.parent,
           .parent_is_remote = timeline_.parent != 0,
           .name = span_name(),
           .kind = SpanKind::server,
           .began = x_.began,
           .ended = wall(x_.ended_at)});
    write_method();
    writer_.text("url.scheme", x_.text(expr::TextFact::scheme));
    writer_.text("url.path", x_.request.target.path);
    writer_.text("server.address", x_.public_name());
    writer_.number("server.port", x_.public_port());
    writer_.text("client.address", x_.client_ip());
    writer_.text("network.peer.address", x_.client->peer_ip());
    writer_.number("network.peer.port", x_.client->peer.port);
    writer_.text("network.protocol.version", x_.text(expr::TextFact::protocol).substr(5));
    if (const auto agent = x_.request.fields.value(http::FieldId::user_agent))
      writer_.text("user_agent.original", *agent);
    if (x_.status != 0) writer_.number("http.response.status_code", x_.status);
    writer_.number("http.response.body.size", x_.bytes.body_sent);
    writer_.text("steelyard.server", x_.server->name);
    if (!timeline_.balancer.empty()) writer_.text("steelyard.balancer", timeline_.balancer);
    writer_.number("steelyard.attempts", static_cast<std::int64_t>(timeline_.attempts.size()));
    writer_.text("steelyard.ended_by", timeline_.ended_by);
    writer_.text("steelyard.end_cause", timeline_.end_cause);
    const bool is_complete = timeline_.end_cause == "complete";
    write_end(is_complete ? std::string_view() : timeline_.end_cause, x_.status >= 500);
  }

  // A cause is an error's name; a bad status alone is one as a number.
  void write_end(std::string_view cause, bool bad_status) {
    if (!cause.empty()) {
      writer_.text("error.type", cause);
      writer_.failed(cause);
    } else if (bad_status) {
      writer_.text("error.type", x_.arena.decimal(static_cast<std::uint64_t>(last_status_)));
      writer_.failed({});
    }
    writer_.end();
  }

  void write_attempt(const expr::Attempt& attempt, std::size_t index) {
    begin({.id = attempt.span,
           .parent = timeline_.span,
           .name = span_name(),
           .kind = SpanKind::client,
           .began = wall(attempt.began),
           .ended = wall(attempt.ended)});
    write_method();
    writer_.text("url.scheme", attempt.member.substr(0, attempt.member.find(':')));
    writer_.text("url.path", attempt.path);
    writer_.text("server.address", attempt.host);
    writer_.number("server.port", attempt.port);
    if (attempt.peer && attempt.peer->port != 0) {
      write_address("network.peer.address", attempt.peer->ip);
      writer_.number("network.peer.port", attempt.peer->port);
    }
    if (index != 0) writer_.number("http.request.resend_count", static_cast<std::int64_t>(index));
    if (attempt.status != 0) writer_.number("http.response.status_code", attempt.status);
    if (!attempt.balancer.empty()) writer_.text("steelyard.balancer", attempt.balancer);
    writer_.text("steelyard.member", attempt.member);
    if (!attempt.route.empty()) writer_.text("steelyard.route", attempt.route);
    writer_.text("steelyard.reason", attempt.reason);
    if (!attempt.proof.empty()) writer_.text("steelyard.proof", attempt.proof);
    if (attempt.connected_at != Instant{})
      writer_.text("steelyard.connection", attempt.pooled ? "pooled" : "new");
    if (attempt.failed()) writer_.text("steelyard.failed", attempt.party);
    last_status_ = attempt.status;
    write_end(attempt.cause, attempt.status >= 400);
    write_stage("slot", attempt.slot(), attempt.span);
    write_stage("connect", attempt.connect(), attempt.span);
    write_stage("send", attempt.send(), attempt.span);
    write_stage("wait", attempt.wait(), attempt.span);
    write_stage("relay", attempt.relay(), attempt.span);
  }

  void write_stage(std::string_view name, const expr::Stage& stage, trace::SpanId parent) {
    if (!stage.happened() || stage.ended <= stage.began) return;
    begin({.id = core_.ids.next_span(),
           .parent = parent,
           .name = name,
           .began = wall(stage.began),
           .ended = wall(stage.ended)});
    writer_.end();
  }

  Exchange& x_;
  Shard::Core& core_;
  const expr::Timeline& timeline_;
  SpanWriter writer_;
  int last_status_ = x_.status;  // of the span that is being written
};

}  // namespace

void record_spans(Exchange& x, Shard::Core& core) {
  const expr::Timeline* const timeline = x.timeline_kept();
  if (timeline == nullptr || !timeline->recorded || core.parts.group.spans == nullptr) return;
  core.log_line.clear();
  const std::size_t spans = Recorder(x, core).write();
  core.parts.group.spans->take(core.log_line, spans);
}

}  // namespace steelyard::proxy
