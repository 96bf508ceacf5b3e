#include "cgi/fcgi_answer.hpp"

namespace steelyard::cgi {

FcgiAnswer::State FcgiAnswer::fail(std::string_view fault) {
  fault_ = fault;
  return state_ = State::broken;
}

FcgiAnswer::State FcgiAnswer::take(std::string_view input) {
  using Kind = FcgiReader::Kind;
  has_heard_ = has_heard_ || !input.empty();
  while (state_ == State::expecting_head || state_ == State::in_body) {
    const FcgiReader::Piece piece = records_.next(input);
    switch (piece.kind) {
      case Kind::need_more:
        return state_;
      case Kind::out:
        take_out(piece.data);
        break;
      case Kind::error:
        words_.append(piece.data.substr(0, words_bytes_max - words_.size()));
        break;
      case Kind::ended:
        return finish();
      case Kind::fault:
        return fail(describe(records_.fault()));
    }
  }
  return state_;
}

FcgiAnswer::State FcgiAnswer::take_out(std::string_view data) {
  if (state_ == State::in_body) return take_body(data);
  head_text_.append(data);
  const auto whole = head_reader_.read(head_text_, asked_, head_, arena_);
  if (!whole) return fail(describe(whole.error()));
  if (!*whole) return state_;
  state_ = State::in_body;
  return take_body(std::string_view(head_text_).substr(head_.head_bytes));
}

FcgiAnswer::State FcgiAnswer::take_body(std::string_view data) {
  if (head_.body.kind == http::BodyFraming::Kind::none) return state_;
  body_.append(data.substr(0, body_bytes_max_ - body_.size()));
  if (body_.size() == body_bytes_max_) state_ = State::whole;
  return state_;
}

// A server that has no room for the request has not begun it.
FcgiAnswer::State FcgiAnswer::finish() {
  if (records_.status() == FcgiStatus::overloaded) return fail("the FastCGI server is overloaded");
  if (records_.status() != FcgiStatus::complete)
    return fail("the FastCGI server refused to run it");
  if (state_ == State::expecting_head) return fail("it ended without an answer");
  const bool has_body = head_.body.kind != http::BodyFraming::Kind::none;
  if (has_body && body_.size() < head_reader_.told_length())
    return fail("the body is shorter than was told");
  return state_ = State::whole;
}

FcgiAnswer::State FcgiAnswer::end() {
  if (state_ == State::whole || state_ == State::broken) return state_;
  if (records_.out_ended()) return finish();
  return fail(has_heard_ ? "the answer was cut short" : "the connection ended without an answer");
}

}  // namespace steelyard::cgi
