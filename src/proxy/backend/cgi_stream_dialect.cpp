#include "proxy/backend/cgi_stream_dialect.hpp"

#include <utility>

#include "cgi/stream_head.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

CgiStreamDialect::CgiStreamDialect(const Matter& matter, cgi::Protocol protocol)
    : matter_(matter), x_(matter.x), protocol_(protocol) {}

void CgiStreamDialect::begin() {
  request_.clear();
  refused_ = !add_cgi_variables(matter_, protocol_);
  if (!refused_) {
    refused_ =
        protocol_ == cgi::Protocol::scgi
            ? !cgi::append_scgi_head(request_, x_.environment, body_bytes(matter_.body).value_or(0))
            : !cgi::append_uwsgi_head(request_, x_.environment);
  }
  upload_.begin(request_, Framing::plain);
  accounted_ = heard_bytes_ = 0;
  head_read_ = false;
  answer_.reset();
  script_reader_.reset();
  http_reader_.reset();
  x_.response.clear();
  matter_.client.workspace.backend_head.clear();
  matter_.client.workspace.backend_body.clear();
}

MessageWriter::Result CgiStreamDialect::send(io::Stream& member, std::string_view data, bool last) {
  if (refused_) return {io::IoStatus::failed};
  return upload_.write(member, data, last);
}

// httpd: all bytes.
std::uint64_t CgiStreamDialect::take_transferred() {
  const std::uint64_t sent = upload_.bytes_written();
  return sent - std::exchange(accounted_, sent);
}

std::optional<Failure> CgiStreamDialect::read_head(io::Stream& member) {
  if (refused_) {
    return cannot_be_told(protocol_ == cgi::Protocol::uwsgi
                              ? "the request's variables do not fit a uwsgi packet"
                              : "the request's variables cannot be told to an SCGI member");
  }
  ReadBuffer& buffer = matter_.client.workspace.backend_head;
  while (true) {
    if (!buffer.empty()) {
      auto failure =
          protocol_ == cgi::Protocol::scgi ? judge_scgi(buffer.data()) : judge_uwsgi(buffer.data());
      if (failure) return failure;
      if (head_read_) {
        buffer.consume(x_.response.head_bytes);
        return std::nullopt;
      }
    }
    if (!buffer.make_room(head_buffer_bytes, head_buffer_bytes_max))
      return broken(Cause::bad_message);
    const io::IoResult result = member.read(buffer.room());
    if (result.status == io::IoStatus::would_block) return std::nullopt;
    if (result.status != io::IoStatus::ok) {
      Failure failure = broken(Cause::closed);
      failure.detail = ending_words(result, buffer.empty() ? closed_before : closed_within);
      return failure;
    }
    heard_bytes_ += result.bytes;
    buffer.filled(result.bytes);
  }
}

Failure CgiStreamDialect::broken(Cause cause) const {
  // httpd's: uwsgi tells an empty answer from a broken one.
  const bool is_empty = heard_bytes_ == 0;
  const int status = protocol_ == cgi::Protocol::scgi || is_empty ? 500 : 502;
  return {.party = Party::backend,
          .cause = cause,
          .answer_began = !is_empty,
          .status = status,
          .has_plain_page = true};
}

std::optional<Failure> CgiStreamDialect::judge_scgi(std::string_view data) {
  const auto whole = script_reader_.read(data, x_.request.method_id, x_.response, x_.arena);
  if (!whole) {
    Failure failure = broken(Cause::bad_message);
    failure.detail = describe(whole.error());
    return failure;
  }
  head_read_ = *whole;
  return std::nullopt;
}

std::optional<Failure> CgiStreamDialect::judge_uwsgi(std::string_view data) {
  const auto progress = http_reader_.read(data, x_.request.method_id, x_.response, x_.arena);
  if (!progress) {
    Failure failure = broken(Cause::bad_message);
    failure.status = progress.error().status;
    failure.detail = describe(progress.error().code);
    return failure;
  }
  if (*progress == http::ResponseProgress::incomplete) return std::nullopt;
  if (*progress == http::ResponseProgress::no_status_line || !cgi::frame_uwsgi_answer(x_.response))
    return broken(Cause::bad_message);
  head_read_ = true;
  return std::nullopt;
}

ReplyBody& CgiStreamDialect::begin_answer(io::Stream& member) {
  Workspace& workspace = matter_.client.workspace;
  return answer_.emplace(
      ResponseBody::Sources{member, workspace.backend_head, workspace.backend_body,
                            x_.response_trailers, x_.arena},
      x_.response.body, script_reader_.told_length());
}

}  // namespace steelyard::proxy
