#include <fmt/format.h>

#include "balance/scheme.hpp"
#include "health/check.hpp"
#include "health/check_request.hpp"
#include "health/limits.hpp"
#include "http/status.hpp"
#include "proxy/backend/http2_carrier.hpp"

// The exchange of a check with a member that speaks HTTP/2: one stream on a connection of its own.
// httpd sends an HTTP/1 request, which no such member understands.

namespace steelyard::health {

namespace {

http::FieldList head_of(const CheckWords& words, bool is_tls) {
  http::FieldList head;
  head.add(":method", words.method);
  head.add(":scheme", is_tls ? "https" : "http");
  head.add(":authority", words.host);
  head.add(":path", words.target);
  return head;
}

}  // namespace

io::Task<Check::Fault> Check::exchange_http2() {
  auto connection = std::make_unique<proxy::BackendConnection>();
  connection->stream = std::move(stream_);
  const auto carrier = proxy::Http2Carrier::begin(std::move(connection), loop_);
  proxy::Http2Lane lane(carrier);
  const CheckWords words = http2_check_words(plan_.member);
  lane.ask(head_of(words, balance::is_tls_scheme(plan_.member.scheme)), true);
  Fault fault = co_await hear_head(lane);
  if (fault.empty() && method() == http::Method::get) fault = co_await hear_body(lane);
  co_return fault;
}

// The final head. Interim ones tell nothing of the member's health.
io::Task<Check::Fault> Check::hear_head(proxy::Http2Lane& lane) {
  while (true) {
    while (auto head = lane.next_head()) {
      if (http::is_interim(head->status)) continue;
      if (head->status < 100) co_return Fault("no status that HTTP/2 has");
      take_head(*head);
      co_return Fault();
    }
    if (lane.was_refused()) co_return Fault("the member refused the stream");
    if (lane.is_broken() || lane.has_ended())
      co_return Fault("the connection ended without an answer in HTTP/2");
    lane.nothing_yet();
    io::Wait wait(timer_, loop_.now() + plan_.read_timeout);
    if (co_await wait.readable(lane) == io::Woken::timed_out) co_return too_late("no answer");
  }
}

void Check::take_head(const proxy::Http2Head& head) {
  head_.status = head.status;
  std::string_view text = arena_.copy(head.text);
  for (const proxy::Http2Head::Row& row : head.rows) {
    head_.fields.add(text.substr(0, row.name_bytes), text.substr(row.name_bytes, row.value_bytes));
    text.remove_prefix(row.name_bytes + row.value_bytes);
  }
  judged_.status_line = fmt::format("HTTP/2.0 {}", head.status);
  judged_.evidence.status = head.status;
}

io::Task<Check::Fault> Check::hear_body(proxy::Http2Lane& lane) {
  while (body_.size() < body_bytes_max) {
    const std::string_view data = lane.data();
    if (!data.empty()) {
      body_.append(data.substr(0, body_bytes_max - body_.size()));
      lane.consume(data.size());
      continue;
    }
    if (lane.has_ended() || lane.was_left_in_peace()) co_return Fault();
    if (lane.is_broken())
      co_return fmt::format("status {}, but the body was cut short or malformed", head_.status);
    lane.nothing_yet();
    io::Wait wait(timer_, loop_.now() + plan_.read_timeout);
    if (co_await wait.readable(lane) == io::Woken::timed_out)
      co_return too_late(fmt::format("status {}, but no end of the body", head_.status));
  }
  co_return Fault();
}

}  // namespace steelyard::health
