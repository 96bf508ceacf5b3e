#include "expr/word.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "expr/functions.hpp"
#include "expr/variables.hpp"

namespace steelyard::expr {

void Word::add_text(std::string_view text) {
  if (text.empty()) return;
  const bool continues =
      !pieces_.empty() && pieces_.back().variable == nullptr && pieces_.back().function == nullptr;
  if (!continues) pieces_.emplace_back();
  pieces_.back().text += text;
}

void Word::add_variable(const Variable& variable) {
  CHECK(variable.read != nullptr);
  pieces_.emplace_back().variable = &variable;
}

void Word::add_call(const Function& function, Word argument) {
  CHECK(function.call != nullptr);
  Piece& piece = pieces_.emplace_back();
  piece.function = &function;
  piece.argument.push_back(std::move(argument));
}

bool Word::is_constant() const {
  if (pieces_.empty()) return true;
  const Piece& first = pieces_.front();
  return pieces_.size() == 1 && first.variable == nullptr && first.function == nullptr;
}

std::string_view Word::evaluate(const Piece& piece, const Facts& facts, Arena& arena) {
  if (piece.variable != nullptr) return piece.variable->read(facts, arena);
  if (piece.function == nullptr) return piece.text;
  const std::string_view argument = piece.argument.front().evaluate(facts, arena);
  return piece.function->call(argument, facts, arena);
}

std::string_view Word::evaluate(const Facts& facts, Arena& arena) const {
  if (pieces_.empty()) return {};
  std::string_view joined = evaluate(pieces_.front(), facts, arena);
  // Four at a time, so that the usual word is copied once.
  for (std::size_t i = 1; i < pieces_.size(); i += 4) {
    std::array<std::string_view, 4> next;
    for (std::size_t k = 0; k < next.size() && i + k < pieces_.size(); ++k) {
      next[k] = evaluate(pieces_[i + k], facts, arena);
    }
    joined = arena.join(joined, next[0], next[1], next[2], next[3]);
  }
  return joined;
}

}  // namespace steelyard::expr
