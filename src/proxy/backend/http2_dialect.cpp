#include "proxy/backend/http2_dialect.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"
#include "http/status.hpp"
#include "proxy/backend/http2_request.hpp"
#include "proxy/backend/interim.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

// Members of this dialect are connected by lanes (MemberLink).
Http2Lane& lane_of(io::Stream& member) { return static_cast<Http2Lane&>(member); }

void add_fields(const Http2Head& head, http::FieldList& out, Arena& arena) {
  std::string_view text = arena.copy(head.text);
  for (const Http2Head::Row& row : head.rows) {
    out.add(text.substr(0, row.name_bytes), text.substr(row.name_bytes, row.value_bytes));
    text.remove_prefix(row.name_bytes + row.value_bytes);
  }
}

}  // namespace

ReplyBody::Progress Http2Answer::pull() {
  pending_ = lane_.data();
  received_ = taken_ + pending_.size();
  const http::BodyFraming& body = x_.response.body;
  const bool is_whole = body.kind == http::BodyFraming::Kind::length && received_ == body.length;
  // Of an answer without a body nobody waits for the end.
  const bool has_none = body.kind == http::BodyFraming::Kind::none;
  end_ = lane_.has_ended() || has_none || (lane_.was_left_in_peace() && is_whole);
  if (end_) take_trailers();
  if (!pending_.empty()) return Progress::data;
  if (end_) return Progress::finished;
  if (lane_.is_broken()) return Progress::cut_short;
  lane_.nothing_yet();
  return Progress::blocked;
}

void Http2Answer::take(std::size_t bytes) {
  pending_.remove_prefix(bytes);
  taken_ += bytes;
  lane_.consume(bytes);
  pending_ = lane_.data().substr(0, pending_.size());
}

void Http2Answer::take_trailers() {
  while (const auto head = lane_.next_head())
    add_fields(*head, x_.response_trailers.write(), x_.arena);
}

void Http2Dialect::begin() {
  head_.clear();
  write_http2_head(matter_, head_);
  sent_ = accounted_ = heard_ = 0;
  pinged_ = asked_ = sent_all_ = head_is_here_ = refused_ = lacked_room_ = false;
  probing_ = matter_.plan.times.ping.has_value();
  matter_.x.response.clear();
}

MessageWriter::Result Http2Dialect::send(io::Stream& member, std::string_view data, bool last) {
  Http2Lane& lane = lane_of(member);
  if (probing_) {
    if (!std::exchange(pinged_, true)) lane.ping();
    return {};
  }
  if (!std::exchange(asked_, true)) {
    const bool ends = last && data.empty() && matter_.x.request_trailers->empty();
    lane.ask(head_, ends);
    for (const http::Field& field : head_) sent_ += field.name.size() + field.value.size();
    sent_all_ = ends;
    if (ends) return {};
  }
  std::size_t taken = 0;
  if (!data.empty()) {
    const std::array pieces{data};
    const io::IoResult result = lane.write(pieces);
    if (result.status != io::IoStatus::ok) return {result.status, 0, result.error};
    taken = result.bytes;
    sent_ += taken;
  }
  if (last && taken == data.size()) {
    http::FieldList trailers;
    write_http2_trailers(matter_.x, trailers);
    lane.end_writing(trailers);
    sent_all_ = true;
  }
  return {io::IoStatus::ok, taken, 0};
}

std::uint64_t Http2Dialect::take_transferred() { return sent_ - std::exchange(accounted_, sent_); }

std::optional<Failure> Http2Dialect::read_head(io::Stream& member) {
  Http2Lane& lane = lane_of(member);
  if (probing_ && lane.heard_ping()) probing_ = false;
  while (auto head = lane.next_head()) {
    heard_ = lane.bytes_heard();
    if (auto failure = take_head(*head)) return failure;
    if (head_is_here_) return std::nullopt;
  }
  heard_ = lane.bytes_heard();
  if (lane.is_broken() || lane.has_ended()) return broken(lane);
  lane.nothing_yet();
  return std::nullopt;
}

// httpd: a stream that the member broke is 502, whatever else may be tried.
Failure Http2Dialect::broken(const Http2Lane& lane) {
  refused_ = lane.was_refused();
  lacked_room_ = lane.lacked_room();
  member_has_answered_ = lane.member_has_answered();
  const Cause cause = lane.was_reset() ? Cause::bad_message : Cause::closed;
  Failure failure{Party::backend, cause};
  failure.answer_began = heard_ != 0;
  // The member's words are for the log; the page has none of them.
  failure.has_plain_page = cause == Cause::bad_message;
  failure.detail = lane.why();
  return failure;
}

// httpd: a connection that ended before it brought any answer is 503, which puts the member in
// error and lets another one be asked; as elsewhere here, for what may be done twice. One that has
// served others may have been closing just then: that is no more than 502, as over HTTP/1.
void Http2Dialect::judge(Failure& failure) const {
  if (failure.cause == Cause::handshake && failure.party == Party::backend) failure.status = 503;
  if (failure.cause == Cause::continue_timed_out && failure.detail.empty())
    failure.detail = "no answer to a PING came in time";
  if (failure.cause != Cause::closed || failure.answer_began) return;
  if (refused_) {
    failure.status = 502;
  } else if (!member_has_answered_) {
    failure.status = 503;
  }
}

std::optional<Failure> Http2Dialect::take_head(Http2Head& head) {
  Exchange& x = matter_.x;
  http::ResponseHead& response = x.response;
  response.status = head.status;
  response.reason = http::reason_phrase(head.status);
  if (response.reason.empty()) response.reason = "Unknown";
  response.line =
      x.arena.join("HTTP/2.0 ", x.arena.decimal(static_cast<std::uint64_t>(head.status)));
  add_fields(head, response.fields, x.arena);
  response.fields.remove("alt-svc");  // httpd: it names another way to the member, not to us
  if (head.status == 101 || head.status < 100)
    return Failure{Party::backend, Cause::bad_message, true, "no status that HTTP/2 has"};
  if (http::is_interim(head.status)) return pass_interim(x, matter_.client, interims_);
  const bool has_body =
      x.request.method_id != http::Method::head && !http::has_no_body(head.status);
  using Kind = http::BodyFraming::Kind;
  const auto length = response.fields.value(FieldId::content_length);
  const auto bytes = length ? parse_unsigned(*length) : std::nullopt;
  response.body.kind = !has_body ? Kind::none : bytes ? Kind::length : Kind::chunked;
  response.body.length = has_body && bytes ? *bytes : 0;
  response.may_reuse = true;
  head_is_here_ = true;
  return std::nullopt;
}

ReplyBody& Http2Dialect::begin_answer(io::Stream& member) {
  return answer_.emplace(lane_of(member), matter_.x);
}

}  // namespace steelyard::proxy
