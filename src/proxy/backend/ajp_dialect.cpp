#include "proxy/backend/ajp_dialect.hpp"

#include <algorithm>
#include <utility>

#include "ajp/packet.hpp"
#include "ajp/request.hpp"
#include "base/text.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"
#include "proxy/trace.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

// httpd grants every wish. One that asks on and on when the body is over, or without waiting for
// what it asked for, is broken.
constexpr int wishes_max = 16;

std::size_t packet_bytes_for(const AttemptPlan& plan, const Exchange& x) {
  const int wanted = plan.lease.spec().io_buffer_bytes.value_or(0);
  return ajp::packet_bytes_for(wanted > 0 ? static_cast<std::size_t>(wanted)
                                          : x.server->proxy.io_buffer_bytes);
}

ajp::TlsFacts tls_facts(const Exchange& x) {
  const auto value = [&](std::string_view name) {
    return x.tls_variable(name).value_or(std::string_view());
  };
  return {.certificate = value("SSL_CLIENT_CERT"),
          .cipher = value("SSL_CIPHER"),
          .session = value("SSL_SESSION_ID"),
          .key_bits = value("SSL_CIPHER_USEKEYSIZE"),
          .protocol = value("SSL_PROTOCOL")};
}

// Variables that are meant for the container: AJP_NAME becomes its attribute NAME.
std::vector<ajp::NamedAttribute> named_attributes(const Exchange& x) {
  constexpr std::string_view mark = "AJP_";
  std::vector<ajp::NamedAttribute> named;
  for (const expr::Environment::Entry& entry : x.environment.entries())
    if (entry.name.starts_with(mark))
      named.emplace_back(entry.name.substr(mark.size()), entry.value);
  return named;
}

Failure backend_failure(Cause cause, std::string detail = {}) {
  return {Party::backend, cause, false, std::move(detail)};
}

// Takes what was sent off the front of `piece`.
void take_off(std::string_view& piece, std::size_t& sent) {
  const std::size_t gone = std::min(piece.size(), sent);
  piece.remove_prefix(gone);
  sent -= gone;
}

Failure does_not_fit() {
  constexpr int bad_request = 400;
  Failure failure{Party::client, Cause::bad_message, false, "it does not fit an AJP packet"};
  failure.status = bad_request;
  failure.has_plain_page = true;
  return failure;
}

}  // namespace

AjpDialect::AjpDialect(const Matter& matter)
    : x_(matter.x),
      client_(matter.client),
      body_(matter.body),
      plan_(matter.plan),
      packet_bytes_max_(packet_bytes_for(matter.plan, matter.x)),
      input_(matter.client.workspace, packet_bytes_max_) {}

void AjpDialect::begin() {
  bytes_sent_ = data_sent_ = accounted_ = 0;
  packet_left_ = 0;
  head_ = {};
  prefix_left_ = {};
  wishes_ = idle_wishes_ = 0;
  const http::BodyFraming framing = body_.framing();
  owes_first_ = framing.kind == http::BodyFraming::Kind::length && framing.has_bytes();
  body_over_ = false;
  has_headers_ = head_is_here_ = gives_way_ = reuses_ = unfit_ = false;
  length_.reset();
  answer_.reset();
  input_.begin();
  x_.response.clear();
  lay_out_request();
  pinging_ = plan_.times.ping.has_value() && !too_large_;
  if (pinging_) {
    head_ = ajp::ping_packet;
    prefix_left_ = {};
  }
}

// What a rule made of Content-Length or Transfer-Encoding counts for nothing: the container goes by
// them. A body without a length is chunked to it, whatever the client speaks (httpd).
const http::FieldList& AjpDialect::request_fields() {
  const http::BodyFraming framing = body_.framing();
  const bool has_length = framing.kind == http::BodyFraming::Kind::length;
  const bool is_chunked = framing.kind == http::BodyFraming::Kind::chunked;
  const std::string_view length = has_length ? x_.arena.decimal(framing.length) : "";
  std::size_t lengths = 0, codings = 0, untrue = 0;
  for (const http::Field& field : x_.request.fields) {
    if (field.id == FieldId::content_length) {
      ++lengths;
      untrue += field.value == length ? 0U : 1U;
    } else if (field.id == FieldId::transfer_encoding) {
      ++codings;
      untrue += equals_ignoring_case(field.value, "chunked") ? 0U : 1U;
    }
  }
  const bool is_true =
      untrue == 0 && lengths == (has_length ? 1U : 0U) && codings == (is_chunked ? 1U : 0U);
  if (!is_traced(x_) && is_true) return x_.request.fields;
  traced_fields_.clear();
  for (const http::Field& field : x_.request.fields) {
    if (field.id == FieldId::content_length || (is_traced(x_) && is_trace_field(field.name)))
      continue;
    if (field.id == FieldId::transfer_encoding && !is_true) continue;
    traced_fields_.add(field.name, field.value, field.id);
  }
  if (has_length) traced_fields_.add("Content-Length", length);
  if (is_chunked && !is_true) traced_fields_.add("Transfer-Encoding", "chunked");
  if (!is_traced(x_)) return traced_fields_;
  http::HeadText text;
  append_trace_fields(x_, text);
  for (std::string_view rest = x_.arena.copy(text.view()); !rest.empty();) {
    const std::size_t name = rest.find(": "), end = rest.find("\r\n");
    traced_fields_.add(rest.substr(0, name), rest.substr(name + 2, end - name - 2));
    rest.remove_prefix(end + 2);
  }
  return traced_fields_;
}

void AjpDialect::lay_out_request() {
  const int forwards = x_.server->proxy.max_forwards;
  if (forwards >= 0 && !x_.request.fields.has(FieldId::max_forwards))
    x_.request.fields.add("Max-Forwards", x_.arena.decimal(static_cast<std::uint64_t>(forwards)));
  const std::vector<ajp::NamedAttribute> named = named_attributes(x_);
  const bool is_tls = x_.is_tls();
  const ajp::Request request{
      .method = x_.request.method,
      .protocol = x_.text(expr::TextFact::protocol),
      .path = plan_.target.path,
      .client_address = x_.client_ip(),
      .client_host = x_.client_host,
      .server_name = x_.public_name(),
      .server_port = x_.client->local.port,
      .is_tls = is_tls,
      .fields = request_fields(),
      .secret = plan_.lease.spec().secret,
      .user = x_.guest->visitor.user.value_or(""),
      .auth_type = x_.guest->visitor.auth_type,
      .query = plan_.target.has_query ? std::optional(plan_.target.query) : std::nullopt,
      .session_route = x_.environment.find("BALANCER_SESSION_ROUTE"),
      .tls = is_tls ? tls_facts(x_) : ajp::TlsFacts(),
      .client_port = x_.arena.decimal(x_.client->peer.port),
      .local_address = x_.client->local_ip(),
      .named = named};
  http::HeadText& text = client_.workspace.to_backend;
  text.clear();
  too_large_ = !ajp::write_request(request, packet_bytes_max_, text);
  if (too_large_) return;
  offer_request();
}

void AjpDialect::offer_request() {
  head_ = client_.workspace.to_backend.view();
  put_in_front(ajp::packet_head(head_.size()));
}

void AjpDialect::put_in_front(std::span<const char> bytes) {
  std::ranges::copy(bytes, prefix_.begin());
  prefix_left_ = {prefix_.data(), bytes.size()};
}

// --- out -----------------------------------------------------------------------------------------

bool AjpDialect::may_open_packet() const {
  return !pinging_ && packet_left_ == 0 && (owes_first_ || wishes_ != 0);
}

bool AjpDialect::holds_body() const {
  if (pinging_ || too_large_) return true;
  return head_.empty() && packet_left_ == 0 && !owes_first_ && wishes_ == 0;
}

bool AjpDialect::in_debt() const { return !head_.empty() || !prefix_left_.empty(); }

bool AjpDialect::sent_all() const {
  return !pinging_ && !too_large_ && !in_debt() && packet_left_ == 0 && body_over_ && wishes_ == 0;
}

void AjpDialect::open_packet(std::size_t data_bytes) {
  put_in_front(ajp::data_packet_head(data_bytes));
  packet_left_ = data_bytes;
  if (owes_first_)
    owes_first_ = false;
  else
    --wishes_;
}

MessageWriter::Result AjpDialect::send(io::Stream& member, std::string_view data, bool last) {
  if (too_large_) return {};
  // The request's packet and the first of its body have one prefix each, and go one by one.
  if (!in_debt() && may_open_packet()) {
    const std::size_t most = ajp::data_bytes_max(packet_bytes_max_);
    const bool asks_beyond = data.empty() && last && !owes_first_;
    if (!data.empty() || asks_beyond) open_packet(std::min(data.size(), most));
  }
  const bool lies_behind_head = !head_.empty();
  std::string_view body =
      lies_behind_head ? std::string_view() : data.substr(0, std::min(data.size(), packet_left_));
  const std::string_view pieces[] = {prefix_left_, head_, body};
  const std::size_t offered = prefix_left_.size() + head_.size() + body.size();
  std::size_t taken = 0;
  if (offered != 0) {
    const io::IoResult result = member.write(pieces);
    if (result.status != io::IoStatus::ok) return {result.status, 0, result.error};
    std::size_t left = result.bytes;
    bytes_sent_ += left;
    take_off(prefix_left_, left);
    take_off(head_, left);
    taken = left;
    packet_left_ -= taken;
    data_sent_ += taken;
  }
  if (last && taken == data.size() && !in_debt() && packet_left_ == 0) body_over_ = true;
  return {io::IoStatus::ok, taken, 0};
}

// httpd: the bytes of the body alone.
std::uint64_t AjpDialect::take_transferred() {
  return data_sent_ - std::exchange(accounted_, data_sent_);
}

// --- in ------------------------------------------------------------------------------------------

std::optional<Failure> AjpDialect::read_head(io::Stream& member) {
  if (too_large_) return does_not_fit();
  std::size_t passed = 0;
  while (!head_is_here_) {
    if (bytes_heard() > preamble_bytes_max) return faulty("it says much and answers nothing");
    gives_way_ = passed >= unwanted_bytes_a_turn;
    if (gives_way_) return std::nullopt;
    switch (input_.next(member)) {
      case AjpInput::Progress::blocked:
        return std::nullopt;
      case AjpInput::Progress::ended: {
        Failure failure = backend_failure(
            Cause::closed,
            ending_words(input_.ending(), input_.is_empty() ? closed_before : closed_within));
        failure.answer_began = bytes_heard() != 0;
        return failure;
      }
      case AjpInput::Progress::faulty:
        return faulty(describe(input_.fault()));
      case AjpInput::Progress::packet:
        break;
    }
    if (pinging_) return take_pong();
    if (auto failure = take_packet()) return failure;
    passed += input_.packet().bytes;
  }
  return std::nullopt;
}

// Nothing else may come with it: no request was sent that it could answer.
std::optional<Failure> AjpDialect::take_pong() {
  if (input_.packet().kind != ajp::ReplyKind::pong || !read_pong(input_.packet()))
    return faulty("no CPONG came for a CPING");
  input_.consume(input_.packet().bytes);
  if (!input_.is_empty()) return faulty("something came behind a CPONG");
  pinging_ = false;
  offer_request();
  return std::nullopt;
}

std::optional<Failure> AjpDialect::take_packet() {
  const ajp::Packet& packet = input_.packet();
  switch (packet.kind) {
    case ajp::ReplyKind::want_body:
      if (!read_want(packet)) return faulty(describe(ajp::ReplyFault::bad_length));
      if (!take_wish()) return faulty("it asks on and on for a body that is over");
      break;
    case ajp::ReplyKind::headers:
      if (auto failure = take_headers()) return failure;
      break;
    case ajp::ReplyKind::body_chunk: {
      const auto data = read_body_chunk(packet);
      if (!data) return faulty(describe(data.error()));
      if (!data->empty() && !has_headers_) return faulty("a body came before its headers");
      head_is_here_ = has_headers_ && (!data->empty() || !has_no_body());
      if (!data->empty()) return std::nullopt;  // the answer's body begins with it
      break;
    }
    case ajp::ReplyKind::end:
      if (const auto end = read_end(packet); !end) return faulty(describe(end.error()));
      if (!has_headers_) return faulty("an answer ended without headers");
      head_is_here_ = true;
      return std::nullopt;
    case ajp::ReplyKind::pong:
      return faulty("a CPONG came for no CPING");
  }
  input_.consume(packet.bytes);
  return std::nullopt;
}

std::optional<Failure> AjpDialect::take_headers() {
  if (has_headers_) return faulty("headers came twice");
  // Fields are looked at until the exchange ends, the buffer is needed before.
  ajp::Packet kept = input_.packet();
  kept.payload = x_.arena.copy(kept.payload);
  ajp::Culprit culprit;
  const auto read = read_headers(kept, x_.response, &culprit);
  if (!read) {
    unfit_ = is_unfit(read.error());
    return faulty(describe(read.error(), culprit));
  }
  has_headers_ = true;
  adopt_fields();
  return std::nullopt;
}

// The packets frame the body: what the fields say of it counts for nothing, unless somebody said
// that it does (httpd: ap_trust_cgilike_cl).
void AjpDialect::adopt_fields() {
  http::ResponseHead& head = x_.response;
  head.line = x_.arena.join("HTTP/1.1 ", x_.arena.decimal(static_cast<std::uint64_t>(head.status)),
                            " ", head.reason);
  head.fields.remove(FieldId::transfer_encoding);
  head.body.kind = http::BodyFraming::Kind::chunked;
  const auto told = head.fields.value(FieldId::content_length);
  const auto length = told ? http::parse_length(*told) : std::nullopt;
  if (!length || !x_.has_switch("ap_trust_cgilike_cl")) {
    head.fields.remove(FieldId::content_length);
    return;
  }
  const std::string_view text = *told;
  head.fields.set("Content-Length", text);
  head.body = {http::BodyFraming::Kind::length, *length};
  length_ = length;
}

bool AjpDialect::has_no_body() const {
  return x_.request.method_id == http::Method::head || http::has_no_body(x_.response.status);
}

bool AjpDialect::take_wish() {
  if (body_over_) ++idle_wishes_;
  ++wishes_;
  return wishes_ <= wishes_max && idle_wishes_ <= wishes_max;
}

Failure AjpDialect::faulty(std::string_view why) const {
  Failure failure = backend_failure(Cause::bad_message, std::string(why));
  failure.answer_began = true;
  return failure;
}

ReplyBody& AjpDialect::begin_answer(io::Stream& member) {
  input_.expect_body();
  if (has_no_body()) length_.reset();
  return answer_.emplace(*this, member, has_no_body());
}

bool AjpDialect::may_reuse() const {
  return reuses_ && input_.is_empty() && !in_debt() && packet_left_ == 0 && !owes_first_ &&
         wishes_ == 0 && !x_.has_switch("proxy-nokeepalive");
}

// --- failures ------------------------------------------------------------------------------------

// httpd: a container that answers pings is well, only slow with this request; what may have had an
// effect is not asked of another one. One that says what cannot be passed on is well, too.
void AjpDialect::judge(Failure& failure) const {
  if (failure.party != Party::backend) return;
  failure.has_plain_page = true;
  const bool is_harmless = http::is_idempotent(x_.request.method_id) && !x_.has_query;
  if (pinging_) {
    // The request was held back, whatever its method: another member may have it.
    if (failure.cause == Cause::timed_out) failure.detail = time_is_up;
    if (failure.cause == Cause::closed || failure.cause == Cause::timed_out)
      failure.detail += ": no CPONG came for a CPING";
    failure.cause = Cause::continue_timed_out;
    failure.status = 503;
  } else if (failure.cause == Cause::timed_out && plan_.times.ping) {
    failure.status = 504;
  } else if (unfit_) {
    failure.status = 500;
  } else {
    failure.status = is_harmless && data_sent_ == 0 ? 503 : 500;
  }
}

bool AjpDialect::marks_member(const Failure& failure) const {
  return failure.status == 500 && !unfit_;
}

bool AjpDialect::marks_sent(const Failure& failure) const {
  return failure.status == 503 && !pinging_ && bytes_sent_ != 0;
}

}  // namespace steelyard::proxy
