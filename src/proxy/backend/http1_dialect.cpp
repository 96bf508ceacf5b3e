#include "proxy/backend/http1_dialect.hpp"

#include <utility>

#include "base/text.hpp"
#include "http/status.hpp"
#include "http/token_list.hpp"
#include "proxy/backend/interim.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"
#include "proxy/reply.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

http::ResponseLimits limits_for(const AttemptPlan& plan) {
  http::ResponseLimits limits;
  // httpd counts the end of the text in.
  constexpr int usual = 8192;
  const int wanted = plan.lease.spec().response_field_bytes.value_or(0);
  limits.field_bytes_max = static_cast<std::size_t>(wanted > 0 ? wanted : usual) - 1;
  return limits;
}

Failure backend_failure(Cause cause, std::string detail = {}) {
  return {Party::backend, cause, false, std::move(detail)};
}

Failure bad_head(const http::ResponseFault& fault) {
  Failure failure = backend_failure(Cause::bad_message);
  failure.answer_began = true;
  failure.status = fault.status;
  // httpd says why on its page for broken status lines and lengths, not for broken fields.
  using Code = http::ResponseFaultCode;
  const bool about_field = fault.code == Code::no_colon || fault.status == 500 ||
                           fault.code == Code::bad_content_length ||
                           fault.code == Code::field_too_long ||
                           fault.code == Code::bad_transfer_coding;
  if (!about_field) failure.detail = describe(fault.code);
  return failure;
}

// upgrade=, ws://. httpd: of a list that the client sent only the beginning counts, and for a ws://
// member without upgrade= it must be no list.
bool may_change_to(const balance::MemberSpec& spec, std::string_view protocol) {
  const std::string_view allowed = spec.upgrade;
  if (protocol.empty() || equals_ignoring_case(allowed, "none")) return false;
  if (allowed.empty())
    return spec.scheme.starts_with("ws") && equals_ignoring_case(protocol, "WebSocket");
  if (allowed == "*" || equals_ignoring_case(allowed, "any")) return true;
  for (const std::string_view each : http::tokens(allowed))
    if (starts_with_ignoring_case(protocol, each)) return true;
  return false;
}

}  // namespace

Http1Dialect::Http1Dialect(const Matter& matter)
    : x_(matter.x),
      client_(matter.client),
      body_(matter.body),
      plan_(matter.plan),
      is_older_(x_.has_switch("force-proxy-request-1.0")),
      passes_expect_(!is_older_ && x_.request.expects_continue &&
                     x_.settings->continue_100.value_or(true)),
      reader_(limits_for(plan_), x_.server->proxy.bad_header) {
  const bool waits = passes_expect_ || plan_.times.ping.has_value();
  waits_for_continue_ = !is_older_ && body_.framing().has_bytes() && waits;
}

// Members that want a length get one: the whole body is kept first.
bool Http1Dialect::needs_length() const {
  return is_older_ || (x_.has_switch("proxy-sendcl") && !x_.has_switch("proxy-sendchunks") &&
                       !x_.has_switch("proxy-sendchunked"));
}

// The protocols that the client wants to change to and the member may. RFC 9110 7.8: one of
// HTTP/1.0 cannot want it.
std::string_view Http1Dialect::wanted_upgrade() const {
  const auto wanted = x_.request.fields.value(FieldId::upgrade);
  if (!wanted || !x_.request.connection.upgrade || x_.request.version == http::http_1_0) return {};
  return may_change_to(plan_.lease.spec(), *wanted) ? *wanted : std::string_view();
}

BodyPlan Http1Dialect::plan_body() const {
  BodyPlan plan;
  plan.expects_continue = waits_for_continue_ || passes_expect_;
  if (!body_.announced()) return plan;
  if (body_.framing().kind == http::BodyFraming::Kind::length) {
    plan.kind = BodyPlan::Kind::length;
    plan.length = body_.framing().length;
  } else if (body_.received_all()) {
    plan.kind = BodyPlan::Kind::length;
    plan.length = body_.received();
  } else {
    plan.kind = BodyPlan::Kind::chunked;
  }
  return plan;
}

void Http1Dialect::begin() {
  wanted_upgrade_ = wanted_upgrade();
  upgrade_ = {};
  RequestRules rules;
  rules.version_1_0 = is_older_;
  rules.keeps_connection = plan_.reuses && !x_.has_switch("proxy-nokeepalive");
  rules.upgrade = wanted_upgrade_;
  rules.via = via_text(x_);
  const BodyPlan plan = plan_body();
  http::HeadText& head = client_.workspace.to_backend;
  head.clear();
  write_request_head(x_, plan_.target, plan, rules, head);
  upload_.begin(head.view(),
                plan.kind == BodyPlan::Kind::chunked ? Framing::chunked : Framing::plain);
  accounted_ = heard_bytes_ = 0;
  final_head_read_ = false;
  x_.response.clear();
  reader_.reset();
  client_.workspace.backend_head.clear();
  client_.workspace.backend_body.clear();
}

MessageWriter::Result Http1Dialect::send(io::Stream& member, std::string_view data, bool last) {
  return upload_.write(member, data, last);
}

// httpd: request line, fields, and the body with its framing.
std::uint64_t Http1Dialect::take_transferred() {
  const std::uint64_t sent = upload_.bytes_written();
  return sent - std::exchange(accounted_, sent);
}

std::optional<Failure> Http1Dialect::read_head(io::Stream& member) {
  ReadBuffer& buffer = client_.workspace.backend_head;
  while (true) {
    if (!buffer.empty()) {
      const auto progress =
          reader_.read(buffer.data(), x_.request.method_id, x_.response, x_.arena);
      if (!progress) {
        return bad_head(progress.error());
      }
      if (*progress != http::ResponseProgress::incomplete) {
        if (auto failure = judge_head(*progress)) return failure;
        if (final_head_read_) return std::nullopt;
        continue;  // an interim answer was dealt with; perhaps the next head is here already
      }
    }
    if (!buffer.make_room(head_buffer_bytes, head_buffer_bytes_max))
      return backend_failure(Cause::bad_message, "response head too large");
    const io::IoResult result = member.read(buffer.room());
    if (result.status == io::IoStatus::would_block) return std::nullopt;
    if (result.status != io::IoStatus::ok) {
      Failure failure = backend_failure(
          Cause::closed, ending_words(result, buffer.empty() ? closed_before : closed_within));
      failure.answer_began = heard_bytes_ != 0;
      return failure;
    }
    heard_bytes_ += result.bytes;
    buffer.filled(result.bytes);
  }
}

std::optional<Failure> Http1Dialect::judge_head(http::ResponseProgress progress) {
  ReadBuffer& buffer = client_.workspace.backend_head;
  // httpd counts the first line of each answer, interim ones too, and then only body bytes.
  if (progress == http::ResponseProgress::complete)
    plan_.lease.member().add_read(static_cast<std::int64_t>(x_.response.line.size()));
  if (progress == http::ResponseProgress::no_status_line) {
    // httpd: whatever comes is the body of a 200; the end of its first line is lost.
    buffer.cut_first_line_end();
    x_.response.clear();
    x_.response.status = 200;
    x_.response.reason = "OK";
    x_.response.body.kind = http::BodyFraming::Kind::until_close;
    final_head_read_ = true;
    return std::nullopt;
  }
  buffer.consume(x_.response.head_bytes);
  const std::string_view upgrade =
      x_.response.fields.value(FieldId::upgrade).value_or(std::string_view());
  const bool is_taken = x_.response.status == 101 ? equals_ignoring_case(upgrade, wanted_upgrade_)
                                                  : may_change_to(plan_.lease.spec(), upgrade);
  upgrade_ = is_taken ? upgrade : std::string_view();
  if (x_.response.status == 101) return judge_upgrade();
  if (http::is_interim(x_.response.status)) return take_interim();
  final_head_read_ = true;
  return std::nullopt;
}

std::optional<Failure> Http1Dialect::judge_upgrade() {
  const std::string_view proof = x_.client->websocket_accept;
  if (!proof.empty() && x_.response.fields.value("Sec-WebSocket-Accept") != proof)
    return backend_failure(Cause::bad_message, "Unexpected Sec-WebSocket-Accept");
  if (!upgrade_.empty()) {
    final_head_read_ = true;
    return std::nullopt;
  }
  const auto upgrade = x_.response.fields.value(FieldId::upgrade);
  return backend_failure(
      Cause::bad_message,
      "Unexpected Upgrade: " + std::string(upgrade.value_or("n/a")) + " (expecting " +
          std::string(wanted_upgrade_.empty() ? std::string_view("n/a") : wanted_upgrade_) + ")");
}

std::optional<Failure> Http1Dialect::take_interim() {
  if (x_.response.status == 100) waits_for_continue_ = false;
  reader_.reset();
  return pass_interim(x_, client_, interims_);
}

ReplyBody& Http1Dialect::begin_answer(io::Stream& member) {
  Workspace& workspace = client_.workspace;
  return answer_.emplace(
      ResponseBody::Sources{member, workspace.backend_head, workspace.backend_body,
                            x_.response_trailers, x_.arena},
      x_.response.body);
}

bool Http1Dialect::may_reuse() const {
  return upload_.done() && x_.response.may_reuse && !answer_->has_surplus() &&
         !answer_->is_until_close() && !is_older_ && !x_.has_switch("proxy-nokeepalive");
}

}  // namespace steelyard::proxy
