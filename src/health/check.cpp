#include "health/check.hpp"

#include <fmt/format.h>

#include "ajp/packet.hpp"
#include "ajp/reply.hpp"
#include "balance/check_fit.hpp"
#include "balance/scheme.hpp"
#include "expr/answer_facts.hpp"
#include "health/check_request.hpp"
#include "health/limits.hpp"
#include "http/proxy_protocol.hpp"
#include "io/next_turn.hpp"
#include "proxy/backend/cgi_request.hpp"
#include "proxy/limits.hpp"
#include "proxy/response_body.hpp"

namespace steelyard::health {

namespace {

using balance::CheckMethod;
using balance::CheckVerdict;
using std::chrono::milliseconds;

constexpr int passing_status_min = 200;
constexpr int passing_status_max = 399;

std::int64_t milliseconds_of(Duration time) { return time / milliseconds(1); }

}  // namespace

io::Task<Judgement> Check::run() {
  const Instant began = loop_.now();
  const CheckMethod asked = plan_.member.check.method;
  Fault fault = co_await connect();
  if (fault.empty() && asked == CheckMethod::cping) fault = co_await ping();
  if (fault.empty() && (asked == CheckMethod::tcp || asked == CheckMethod::cping)) {
    judged_.verdict = CheckVerdict::passed;
    judged_.evidence.text = asked == CheckMethod::tcp ? "connected" : "answered CPING";
  } else if (fault.empty()) {
    fault = co_await ask();
    if (fault.empty()) judge_answer();
  }
  if (!fault.empty()) judged_.evidence.text = std::move(fault);
  judged_.evidence.latency = loop_.now() - began;
  stream_.reset();
  co_return std::move(judged_);
}

io::Task<Check::Fault> Check::connect() {
  io::Dialed dialed = co_await dialer_.dial(dial_target(), plan_.connect_timeout);
  if (!dialed) {
    judged_.says_something = dialed.error().cause != io::DialFailure::Cause::exhausted;
    co_return dialed.error().text.empty() ? Fault("could not connect")
                                          : std::move(dialed.error().text);
  }
  stream_ = std::move(*dialed);
  // Another port than the members' own may speak otherwise.
  if (plan_.member.proxy_protocol != balance::ProxyProtocol::none && !plan_.member.check.port) {
    const auto version = plan_.member.proxy_protocol == balance::ProxyProtocol::v1
                             ? http::ProxyVersion::v1
                             : http::ProxyVersion::v2;
    Fault fault = co_await write(std::string(http::own_proxy_header(version)));
    if (!fault.empty()) co_return fault;
  }
  if (balance::is_tls_scheme(plan_.member.scheme)) co_return co_await secure();
  co_return Fault();
}

io::Task<Check::Fault> Check::secure() {
  using Handshake = tls::TlsStream::Handshake;
  const balance::MemberSpec& member = plan_.member;
  if (plan_.tls == nullptr) co_return Fault("SSLProxyEngine is not On");
  const std::string& host = member.check.sni.empty() ? member.host : member.check.sni;
  auto made = plan_.tls->connect(std::move(stream_), host, "check of " + member.name,
                                 speaks_http2() ? "h2" : "");
  tls::TlsStream& stream = *made;
  stream_ = std::move(made);
  const Instant deadline = loop_.now() + plan_.connect_timeout;
  Handshake step = stream.shake_hands();
  while (step == Handshake::blocked) {
    io::Wait wait(timer_, deadline);
    if (co_await stream.wait_for_peer(wait) == io::Woken::timed_out)
      co_return Fault("the TLS handshake took too long");
    step = stream.shake_hands();
  }
  std::string fault =
      step == Handshake::done ? plan_.tls->objection(stream.ssl(), host) : stream.fault();
  if (fault.empty() && speaks_http2() && tls::agreed_protocol(stream.ssl()) != "h2")
    fault = "it does not speak HTTP/2 (no h2 by ALPN)";
  co_return fault.empty() ? Fault() : "no TLS with the member: " + fault;
}

// httpd: always host and port, also of a member behind a socket. Where httpd has no such check, it
// goes where requests go.
io::DialTarget Check::dial_target() const {
  const balance::MemberSpec& member = plan_.member;
  const config::ProxySettings& proxy = plan_.server.proxy;
  io::DialTarget target;
  if (member.address) {
    target.addresses = std::make_shared<const std::vector<IpAddress>>(1, *member.address);
    target.addresses_are_all = true;
  }
  target.host = member.host;
  target.port = member.check.port.value_or(member.port);
  if (balance::is_checked_on_its_socket(member)) target.unix_path = member.unix_socket_path;
  target.source = proxy.source_address;
  target.address_ttl = member.address_ttl;
  target.keep_alive_probes = member.tcp_keepalive;
  target.receive_buffer_bytes = static_cast<std::uint32_t>(
      member.receive_buffer_bytes.value_or(static_cast<int>(proxy.receive_buffer_bytes)));
  return target;
}

http::Method Check::method() const {
  switch (plan_.member.check.method) {
    case CheckMethod::head:
    case CheckMethod::head11:
      return http::Method::head;
    case CheckMethod::options:
    case CheckMethod::options11:
      return http::Method::options;
    default:
      return http::Method::get;
  }
}

Check::Fault Check::too_late(std::string_view what) const {
  return fmt::format("{} within {} ms", what, milliseconds_of(plan_.read_timeout));
}

// In the member's own protocol.
io::Task<Check::Fault> Check::ask() {
  if (const auto protocol = proxy::cgi_protocol(plan_.member.scheme))
    return exchange_cgi(*protocol);
  if (plan_.member.scheme == "ftp") return hear_greeting();
  return speaks_http2() ? exchange_http2() : exchange();
}

io::Task<Check::Fault> Check::exchange() {
  Fault fault = co_await write(check_request(plan_.member));
  if (fault.empty()) fault = co_await read_head();
  if (fault.empty() && method() == http::Method::get) fault = co_await read_body();
  co_return fault;
}

io::Task<Check::Fault> Check::ping() {
  Fault fault = co_await write(std::string(ajp::ping_packet));
  while (fault.empty()) {
    const auto packet = ajp::next_packet(buffer_.data(), ajp::packet_bytes_min);
    if (!packet) co_return Fault("not a CPONG: " + std::string(describe(packet.error())));
    if (*packet) {
      const bool is_pong = (*packet)->kind == ajp::ReplyKind::pong && read_pong(**packet);
      co_return is_pong ? Fault() : Fault("something else came for a CPONG");
    }
    fault = co_await read_more();
  }
  co_return fault;
}

io::Task<Check::Fault> Check::write(std::string request) {
  std::string_view rest = request;
  while (!rest.empty()) {
    const std::string_view pieces[] = {rest};
    const io::IoResult result = stream_->write(pieces);
    if (result.status == io::IoStatus::ok) {
      rest.remove_prefix(result.bytes);
      continue;
    }
    if (result.status != io::IoStatus::would_block) co_return Fault("could not send the request");
    io::Wait wait(timer_, loop_.now() + plan_.read_timeout);
    if (co_await wait.writable(*stream_) == io::Woken::timed_out) {
      co_return too_late("could not send the request");
    }
  }
  co_return Fault();
}

// At least one more byte in the buffer, in which there is room. A member that never stops talking
// gives others their turn and has an end.
io::Task<Check::Heard> Check::hear() {
  while (true) {
    const io::IoResult result = stream_->read(buffer_.room());
    if (result.status == io::IoStatus::ok) {
      buffer_.filled(result.bytes);
      const std::size_t turns = heard_bytes_ / heard_bytes_a_turn;
      heard_bytes_ += result.bytes;
      if (heard_bytes_ > heard_bytes_max) co_return Heard::too_much;
      if (heard_bytes_ / heard_bytes_a_turn != turns) co_await io::NextTurn(loop_);
      co_return Heard::more;
    }
    if (result.status != io::IoStatus::would_block) co_return Heard::ended;
    io::Wait wait(timer_, loop_.now() + plan_.read_timeout);
    if (co_await wait.readable(*stream_) == io::Woken::timed_out) co_return Heard::nothing_in_time;
  }
}

io::Task<Check::Fault> Check::read_more() {
  if (!buffer_.make_room(proxy::head_buffer_bytes, proxy::head_buffer_bytes_max)) {
    co_return Fault("the head of the answer is too long");
  }
  switch (co_await hear()) {
    case Heard::more:
      break;
    case Heard::ended:
      co_return Fault(heard_bytes_ == 0 ? "the connection ended without an answer"
                                        : "the answer ended in its head");
    case Heard::nothing_in_time:
      co_return too_late("no answer");
    case Heard::too_much:
      co_return Fault("it says much and answers nothing");
  }
  co_return Fault();
}

io::Task<Check::Fault> Check::read_head() {
  // httpd reads lines of any length here; the whole head is bounded.
  http::ResponseLimits limits;
  limits.line_bytes_max = limits.field_bytes_max = limits.head_bytes_max;
  http::ResponseHeadReader reader(limits);
  while (true) {
    const auto progress = reader.read(buffer_.data(), method(), head_, arena_);
    if (!progress) {
      co_return fmt::format("not a valid answer: {}", http::describe(progress.error().code));
    }
    if (*progress == http::ResponseProgress::complete) break;
    if (*progress == http::ResponseProgress::no_status_line) co_return Fault("not an HTTP answer");
    if (Fault fault = co_await read_more(); !fault.empty()) co_return fault;
  }
  judged_.status_line = head_.line;
  judged_.evidence.status = head_.status;
  co_return Fault();
}

// `least_bytes`: of a body that the connection's end ends.
io::Task<Check::Fault> Check::read_body(std::uint64_t least_bytes) {
  // The head's views stay where they are: what follows is read from there, then elsewhere.
  proxy::ReadBuffer behind_head;
  behind_head.append(buffer_.data().substr(head_.head_bytes));
  OnDemand<http::FieldList> trailers;
  proxy::ResponseBody body({*stream_, behind_head, body_buffer_, trailers, arena_}, head_.body,
                           least_bytes);
  while (body_.size() < body_bytes_max) {
    switch (body.pull()) {
      case proxy::ResponseBody::Progress::finished:
        co_return Fault();
      case proxy::ResponseBody::Progress::cut_short:
        co_return fmt::format("status {}, but the body was cut short or malformed", head_.status);
      case proxy::ResponseBody::Progress::data:
        body_.append(body.pending().substr(0, body_bytes_max - body_.size()));
        body.take(body.pending().size());
        break;
      case proxy::ResponseBody::Progress::others_turn:
        break;  // of other protocols' bodies
      case proxy::ResponseBody::Progress::blocked: {
        io::Wait wait(timer_, loop_.now() + plan_.read_timeout);
        if (co_await wait.readable(*stream_) == io::Woken::timed_out) {
          co_return too_late(fmt::format("status {}, but no end of the body", head_.status));
        }
      }
    }
  }
  co_return Fault();
}

void Check::judge_answer() {
  judged_.evidence.text = fmt::format("status {}", head_.status);
  bool passes = head_.status >= passing_status_min && head_.status <= passing_status_max;
  if (plan_.condition != nullptr) {
    expr::AnswerFacts facts;
    facts.status = head_.status;
    facts.fields = &head_.fields;
    facts.body = body_;
    facts.wall_now = loop_.wall_now();
    const auto answer = plan_.condition->evaluate(facts, arena_);
    passes = answer.value_or(false);
    if (!answer) judged_.eval_error = answer.error();
    judged_.evidence.text += fmt::format(", condition {} is {}", plan_.member.check.expression,
                                         answer ? (passes ? "true" : "false") : answer.error());
  }
  judged_.verdict = passes ? CheckVerdict::passed : CheckVerdict::failed;
}

}  // namespace steelyard::health
