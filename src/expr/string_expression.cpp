#include "expr/string_expression.hpp"

#include <utility>

#include "expr/word_reader.hpp"

namespace steelyard::expr {

std::expected<StringExpression, Complaint> StringExpression::compile(std::string_view text) {
  std::expected<Word, Complaint> word = WordReader(text).read();
  if (!word) return std::unexpected(std::move(word.error()));
  StringExpression expression;
  expression.text_ = text;
  expression.word_ = std::move(*word);
  return expression;
}

std::string_view StringExpression::evaluate(const Facts& facts, Arena& arena) const {
  Evaluation evaluation{facts, arena};
  return evaluate(evaluation);
}

}  // namespace steelyard::expr
