#include <fmt/format.h>

#include "base/check.hpp"
#include "cgi/fcgi_answer.hpp"
#include "cgi/response_head.hpp"
#include "health/check.hpp"
#include "health/check_cgi_request.hpp"
#include "health/limits.hpp"
#include "proxy/limits.hpp"

// The exchange of a check with a member of the CGI family: one request, as the data path words it.
// httpd sends an HTTP/1 request, which no such member understands.

namespace steelyard::health {

namespace {

using Protocol = cgi::Protocol;
using State = cgi::FcgiAnswer::State;

// The address of this machine, when the connection is a Unix socket.
Endpoint or_this_machine(const Endpoint& end) {
  return end == Endpoint{} ? Endpoint{IpAddress::v4(0x7f000001), 0} : end;
}

}  // namespace

io::Task<Check::Fault> Check::exchange_cgi(Protocol protocol) {
  const config::Server& server = plan_.server;
  auto request = cgi_check_request(plan_.member, protocol,
                                   {.backend = plan_.fcgi_backend,
                                    .document_root = server.document_root,
                                    .server_admin = server.admin,
                                    .server_software = plan_.software,
                                    .here = or_this_machine(stream_->local()),
                                    .member = or_this_machine(stream_->dialed())});
  if (!request) co_return Fault("hcuri cannot be told to such a member");
  Fault fault = co_await write(std::move(*request));
  if (fault.empty())
    fault = co_await (protocol == Protocol::fcgi ? hear_application() : hear_stream(protocol));
  co_return fault;
}

void Check::note_status() {
  judged_.status_line = fmt::format("Status: {} {}", head_.status, head_.reason);
  judged_.evidence.status = head_.status;
}

io::Task<Check::Fault> Check::hear_application() {
  cgi::FcgiAnswer& answer = application_.emplace(method(), body_bytes_max);
  State state = State::expecting_head;
  while (state == State::expecting_head ||
         (state == State::in_body && method() == http::Method::get)) {
    CHECK(buffer_.make_room(proxy::head_buffer_bytes, proxy::head_buffer_bytes));
    const Heard heard = co_await hear();
    if (heard == Heard::nothing_in_time || heard == Heard::too_much) {
      const bool is_late = heard == Heard::nothing_in_time;
      if (state == State::in_body) {
        const Fault what = fmt::format("status {}, but no end of the body", answer.head().status);
        co_return is_late ? too_late(what) : what;
      }
      co_return is_late ? too_late("no answer") : Fault("it says much and answers nothing");
    }
    state = heard == Heard::ended ? answer.end() : answer.take(buffer_.data());
    buffer_.consume(buffer_.data().size());
    judged_.words = answer.words();
  }
  if (state == State::broken) co_return Fault(answer.fault());
  head_ = answer.head();
  body_ = answer.body();
  note_status();
  co_return Fault();
}

io::Task<Check::Fault> Check::hear_stream(Protocol protocol) {
  cgi::HeadReader script_reader;
  http::ResponseHeadReader http_reader;
  while (true) {
    Fault fault = co_await read_more();
    if (!fault.empty()) co_return fault;
    if (protocol == Protocol::scgi) {
      const auto whole = script_reader.read(buffer_.data(), method(), head_, arena_);
      if (!whole) co_return fmt::format("not a valid answer: {}", describe(whole.error()));
      if (*whole) break;
      continue;
    }
    const auto progress = http_reader.read(buffer_.data(), method(), head_, arena_);
    if (!progress) co_return fmt::format("not a valid answer: {}", describe(progress.error().code));
    if (*progress == http::ResponseProgress::incomplete) continue;
    if (*progress == http::ResponseProgress::no_status_line || !cgi::frame_uwsgi_answer(head_))
      co_return Fault("not an answer of a uwsgi application");
    break;
  }
  note_status();
  if (method() == http::Method::get) co_return co_await read_body(script_reader.told_length());
  co_return Fault();
}

}  // namespace steelyard::health
