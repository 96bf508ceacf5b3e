#include "proxy/backend/fcgi_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "http/status.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

using Kind = cgi::FcgiReader::Kind;

// httpd: as long as nothing was passed on, what breaks is a 503, so that another member is asked.
constexpr int broken_status = 503;

Failure backend_failure(Cause cause, bool answer_began, int status, std::string_view detail = {}) {
  return {.party = Party::backend,
          .cause = cause,
          .answer_began = answer_began,
          .detail = std::string(detail),
          .status = status,
          .has_plain_page = true};
}

std::size_t eat(std::string_view& piece, std::size_t& written) {
  const std::size_t eaten = std::min(piece.size(), written);
  piece.remove_prefix(eaten);
  written -= eaten;
  return eaten;
}

}  // namespace

void StdinWriter::begin(std::string_view head) {
  *this = StdinWriter();
  head_ = head;
}

void StdinWriter::owe_header(std::size_t content_bytes, std::size_t written) {
  prefix_ = cgi::fcgi_header(cgi::RecordType::std_in, content_bytes);
  prefix_begin_ = written;
}

MessageWriter::Result StdinWriter::write(io::Stream& stream, std::string_view data, bool last) {
  if (prefix().empty() && record_left_ == 0 && !data.empty() && !ended_) {
    record_left_ = std::min(data.size(), cgi::fcgi_content_bytes_max);
    owe_header(record_left_, 0);
  }
  std::string_view body = data.substr(0, record_left_);
  const bool ends = last && !ended_ && body.size() == data.size() && body.size() == record_left_;
  const cgi::FcgiHeader end = cgi::fcgi_header(cgi::RecordType::std_in, 0);
  std::string_view tail = ends ? std::string_view(end.data(), end.size()) : std::string_view();
  std::string_view front = prefix();
  const std::string_view pieces[] = {head_, front, body, tail};
  const io::IoResult result = stream.write(pieces);
  if (result.status != io::IoStatus::ok) return {result.status, 0, result.error};

  std::size_t left = result.bytes;
  bytes_written_ += left;
  eat(head_, left);
  prefix_begin_ += eat(front, left);
  const std::size_t taken = eat(body, left);
  record_left_ -= taken;
  if (ends && front.empty() && body.empty() && head_.empty()) {
    owe_header(0, eat(tail, left));
    ended_ = true;
  }
  return {io::IoStatus::ok, taken, 0};
}

FcgiDialect::FcgiDialect(const Matter& matter, Shard::Core& core)
    : matter_(matter), x_(matter.x), core_(core) {}

void FcgiDialect::begin() {
  is_kept_ = matter_.plan.reuses && !matter_.plan.transient && !x_.has_switch("proxy-nokeepalive");
  request_.clear();
  refused_ = !add_cgi_variables(matter_, cgi::Protocol::fcgi) ||
             !cgi::append_fcgi_head(request_, x_.environment,
                                    is_kept_ ? cgi::Keep::keep : cgi::Keep::close);
  upload_.begin(request_);
  accounted_ = heard_bytes_ = 0;
  read_this_turn_ = 0;
  head_read_ = false;
  answer_.reset();
  records_.reset();
  head_reader_.reset();
  x_.response.clear();
  matter_.client.workspace.backend_head.clear();
  matter_.client.workspace.backend_body.clear();
}

MessageWriter::Result FcgiDialect::send(io::Stream& member, std::string_view data, bool last) {
  if (refused_) return {io::IoStatus::failed};
  return upload_.write(member, data, last);
}

// httpd: all bytes.
std::uint64_t FcgiDialect::take_transferred() {
  const std::uint64_t sent = upload_.bytes_written();
  return sent - std::exchange(accounted_, sent);
}

// The next piece of what was received; STDERR goes to the log.
cgi::FcgiReader::Piece FcgiDialect::next_piece() {
  ReadBuffer& buffer = matter_.client.workspace.backend_body;
  while (true) {
    const std::string_view data = buffer.data();
    std::string_view input = data;
    const cgi::FcgiReader::Piece piece = records_.next(input);
    buffer.consume(data.size() - input.size());
    if (piece.kind != Kind::error) return piece;
    log_error(piece.data);
  }
}

io::IoResult FcgiDialect::read(io::Stream& member) {
  ReadBuffer& buffer = matter_.client.workspace.backend_body;
  CHECK(buffer.make_room(relay_buffer_bytes, relay_buffer_bytes));
  const io::IoResult result = member.read(buffer.room());
  if (result.status == io::IoStatus::ok) {
    buffer.filled(result.bytes);
    read_this_turn_ += result.bytes;
    if (!head_read_) heard_bytes_ += result.bytes;
  }
  return result;
}

void FcgiDialect::log_error(std::string_view text) {
  if (!core_.wants(x_, config::LogLevel::error, "proxy_fcgi")) return;
  core_.log(x_, config::LogLevel::error, "proxy_fcgi",
            fmt::format("AH01071: Got error '{}'", text));
}

std::optional<Failure> FcgiDialect::read_head(io::Stream& member) {
  if (refused_)
    return cannot_be_told("the request's variables do not fit what a FastCGI member can be told");
  read_this_turn_ = 0;
  while (true) {
    const cgi::FcgiReader::Piece piece = next_piece();
    if (piece.kind == Kind::fault)
      return backend_failure(Cause::bad_message, true, broken_status, describe(records_.fault()));
    if (piece.kind == Kind::ended) return ended_early();
    if (piece.kind == Kind::out) {
      if (auto failure = take_out(piece.data)) return failure;
      if (head_read_) return std::nullopt;
      continue;
    }
    if (heard_bytes_ > preamble_bytes_max)
      return backend_failure(Cause::bad_message, true, broken_status,
                             "it says much and answers nothing");
    if (gives_way()) return std::nullopt;
    const io::IoResult result = read(member);
    if (result.status == io::IoStatus::would_block) return std::nullopt;
    if (result.status != io::IoStatus::ok) {
      return backend_failure(
          Cause::closed, heard_bytes_ != 0, broken_status,
          ending_words(result, heard_bytes_ == 0 ? closed_before : closed_within));
    }
  }
}

// The head is kept, since the exchange shows parts of it until its end.
std::optional<Failure> FcgiDialect::take_out(std::string_view data) {
  ReadBuffer& head = matter_.client.workspace.backend_head;
  head.append(data);
  const auto whole = head_reader_.read(head.data(), x_.request.method_id, x_.response, x_.arena);
  if (!whole) {
    return backend_failure(Cause::bad_message, true, cgi::head_fault_status,
                           describe(whole.error()));
  }
  if (!*whole) return std::nullopt;
  head.consume(x_.response.head_bytes);
  head_read_ = true;
  return std::nullopt;
}

// A server that has no room for the request has not begun it.
Failure FcgiDialect::ended_early() {
  if (records_.status() == cgi::FcgiStatus::overloaded)
    return backend_failure(Cause::unusable, true, 503, "the FastCGI server is overloaded");
  return backend_failure(Cause::bad_message, true, cgi::head_fault_status,
                         "End of script output before headers");
}

ReplyBody& FcgiDialect::begin_answer(io::Stream& member) { return answer_.emplace(*this, member); }

bool FcgiDialect::may_reuse() const {
  return is_kept_ && upload_.done() && records_.has_ended() &&
         records_.status() == cgi::FcgiStatus::complete &&
         matter_.client.workspace.backend_body.empty();
}

FcgiDialect::Body::Body(FcgiDialect& dialect, io::Stream& member)
    : dialect_(dialect),
      member_(member),
      has_bytes_(dialect.x_.response.body.kind != http::BodyFraming::Kind::none),
      rest_of_head_(dialect.matter_.client.workspace.backend_head.data().size()) {}

FcgiDialect::Body::Progress FcgiDialect::Body::pull() {
  if (!pending_.empty()) return Progress::data;
  if (end_) return Progress::finished;
  if (broken_) return Progress::cut_short;
  if (has_bytes_ && rest_of_head_ != 0) {
    pending_ = dialect_.matter_.client.workspace.backend_head.data();
    received_ += pending_.size();
    return Progress::data;
  }
  dialect_.read_this_turn_ = 0;
  while (true) {
    const cgi::FcgiReader::Piece piece = dialect_.next_piece();
    if (piece.kind == Kind::fault) return Progress::cut_short;
    if (piece.kind == Kind::ended) {
      end_ = dialect_.records_.status() == cgi::FcgiStatus::complete && has_told_length();
      broken_ = !end_;
      return end_ ? Progress::finished : Progress::cut_short;
    }
    if (piece.kind == Kind::out && has_bytes_) {
      pending_ = piece.data;
      received_ += pending_.size();
      return Progress::data;
    }
    if (piece.kind == Kind::out) continue;
    if (has_bytes_ && dialect_.gives_way()) return Progress::others_turn;
    const io::IoResult result =
        dialect_.gives_way() ? io::IoResult{io::IoStatus::would_block} : dialect_.read(member_);
    const io::IoStatus status = result.status;
    if (status == io::IoStatus::ok) continue;
    if (!has_bytes_) {
      // Nobody waits for the end of a body that is not passed on.
      end_ = true;
      return Progress::finished;
    }
    if (status == io::IoStatus::would_block) return Progress::blocked;
    ending_ = result;
    // All of the stream is here, only the last word is missing.
    end_ = status == io::IoStatus::end && dialect_.records_.out_ended() && has_told_length();
    return end_ ? Progress::finished : Progress::cut_short;
  }
}

bool FcgiDialect::Body::has_told_length() const {
  return !has_bytes_ || received_ >= dialect_.head_reader_.told_length();
}

void FcgiDialect::Body::take(std::size_t bytes) {
  CHECK(bytes <= pending_.size());
  pending_.remove_prefix(bytes);
  if (rest_of_head_ == 0) return;
  rest_of_head_ -= bytes;
  dialect_.matter_.client.workspace.backend_head.consume(bytes);
}

}  // namespace steelyard::proxy
