#include "expr/word.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "expr/functions.hpp"
#include "expr/variables.hpp"

namespace steelyard::expr {

void Word::add_text(std::string_view text) {
  if (text.empty()) return;
  if (pieces_.empty() || !pieces_.back().is_text()) pieces_.emplace_back();
  pieces_.back().text += text;
}

void Word::add_variable(const Variable& variable, std::string_view name) {
  CHECK(variable.read != nullptr || variable.read_one != nullptr);
  Piece& piece = pieces_.emplace_back();
  piece.variable = &variable;
  if (variable.read_one != nullptr) piece.text = name;
}

void Word::add_call(const Function& function, Word argument) {
  CHECK(function.call != nullptr);
  Piece& piece = pieces_.emplace_back();
  piece.function = &function;
  piece.argument.push_back(std::move(argument));
}

void Word::add_group(std::size_t number) {
  CHECK(number < std::tuple_size_v<decltype(RegexMatch::groups)>);
  pieces_.emplace_back().group = number;
}

void Word::add(Word other) {
  for (Piece& piece : other.pieces_) {
    if (piece.is_text()) {
      add_text(piece.text);
    } else {
      pieces_.push_back(std::move(piece));
    }
  }
}

bool Word::is_constant() const {
  return pieces_.empty() || (pieces_.size() == 1 && pieces_.front().is_text());
}

std::string_view Word::constant_text() const {
  CHECK(is_constant());
  return pieces_.empty() ? std::string_view() : pieces_.front().text;
}

std::string_view Word::evaluate(const Piece& piece, Evaluation& evaluation) {
  if (piece.variable != nullptr) {
    if (piece.variable->read != nullptr) return piece.variable->read(evaluation);
    return piece.variable->read_one(evaluation, piece.text);
  }
  if (piece.group) return evaluation.groups.groups[*piece.group];
  if (piece.function == nullptr) return piece.text;
  const std::string_view argument = piece.argument.front().evaluate(evaluation);
  return piece.function->call(argument, evaluation);
}

std::string_view Word::evaluate(Evaluation& evaluation) const {
  if (pieces_.empty()) return {};
  std::string_view joined = evaluate(pieces_.front(), evaluation);
  // Four at a time, so that the usual word is copied once.
  for (std::size_t i = 1; i < pieces_.size(); i += 4) {
    std::array<std::string_view, 4> next;
    for (std::size_t k = 0; k < next.size() && i + k < pieces_.size(); ++k) {
      next[k] = evaluate(pieces_[i + k], evaluation);
    }
    joined = evaluation.arena.join(joined, next[0], next[1], next[2], next[3]);
  }
  return joined;
}

}  // namespace steelyard::expr
