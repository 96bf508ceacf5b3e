#include "rewrite/expansion.hpp"

#include "base/arena.hpp"
#include "expr/functions.hpp"
#include "expr/variables.hpp"

namespace steelyard::rewrite {

using Kind = Template::Kind;

std::string_view Expansion::fill(const Template& source, const ReferenceEscaping* escaping) {
  std::string_view filled;
  Question question = Question::none;
  for (const Template::Piece& piece : source.pieces()) {
    const std::string_view value = value_of(piece, escaping);
    if (question == Question::none && value.contains('?'))
      question = piece.kind == Kind::text ? Question::own : Question::foreign;
    if (value.empty()) continue;
    if (filled.empty()) {
      filled = value;
      continue;
    }
    if (!charge(filled.size() + value.size())) break;
    filled = arena_.join(filled, value);
  }
  question_ = question;
  return filled;
}

std::string_view Expansion::value_of(const Template::Piece& piece,
                                     const ReferenceEscaping* escaping) {
  const auto escaped = [&](std::string_view value) {
    if (escaping == nullptr) return value;
    const std::string_view made = escape_reference(value, *escaping, arena_);
    return made.data() == value.data() || charge(made.size()) ? made : std::string_view();
  };
  switch (piece.kind) {
    case Kind::text:
      return piece.text;
    case Kind::rule_group:
      return escaped(rule_groups.groups[piece.group]);
    case Kind::condition_group:
      return escaped(condition_groups.groups[piece.group]);
    case Kind::subject:
      return text;
    case Kind::query:
      return subject_.query().value_or(std::string_view());
    case Kind::server_ip:
      return subject_.facts().text(expr::TextFact::local_ip);
    case Kind::field:
      return field(piece.text);
    case Kind::map:
      return look_up(piece);
    case Kind::fact:
    case Kind::tls:
    case Kind::environment:
      break;
  }
  expr::Evaluation evaluation{subject_.facts(), arena_};
  if (piece.kind == Kind::environment)
    return expr::find_function("env")->call(piece.text, evaluation);
  if (piece.variable == nullptr) return {};
  return piece.variable->read != nullptr ? piece.variable->read(evaluation)
                                         : piece.variable->read_one(evaluation, piece.text);
}

std::string_view Expansion::field(std::string_view name) {
  const auto value = subject_.facts().request_header(name);
  if (!value) return {};
  // httpd: only a field that is there makes the answer depend on it.
  expr::Evaluation evaluation{subject_.facts(), arena_};
  evaluation.vary = vary_;
  evaluation.note_request_field(name);
  vary_ = evaluation.vary;
  return *value;
}

std::string_view Expansion::look_up(const Template::Piece& piece) {
  const std::string_view key = fill(piece.parts.front());
  const auto value = key.empty() ? std::nullopt : subject_.look_up(piece.text, key);
  if (!value) return fill(piece.parts.back());
  // Each time a fresh copy, as its file or what is converted may change.
  return charge(value->size()) ? *value : std::string_view();
}

bool Expansion::charge(std::size_t bytes) {
  if (bytes > bytes_left_) exhausted_ = true;
  if (!exhausted_) bytes_left_ -= bytes;
  return !exhausted_;
}

}  // namespace steelyard::rewrite
