#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The words and signs of a condition. Text in quotes, %{...} and regular expressions have rules of
// their own: of those only the beginning is a token. Threads: one owner.

namespace steelyard::expr {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    unknown,  // a character that begins nothing
    name,
    digits,
    group,          // $0 ... $9
    quote,          // ' or "
    reference,      // %{
    unary,          // -X
    binary,         // -name
    always,         // true
    never,          // false
    negation,       // ! not
    conjunction,    // && and
    disjunction,    // || or
    open,           // (
    close,          // )
    open_list,      // {
    close_list,     // }
    comma,          // ,
    concatenation,  // .
    order,          // = == != < <= > >=
    integer_order,  // -eq eq ...
    matches,        // =~
    matches_not,    // !~
    in,             // -in in
  };
  Kind kind = Kind::end;
  std::string_view text{};  // as written
};

// Blanks, tabs and line ends separate tokens.
std::string_view after_blanks(std::string_view text);

class TokenReader {
 public:
  explicit TokenReader(std::string_view text) : all_(text), rest_(text) { advance(); }

  const Token& next() const { return next_; }
  void advance();

  // What stands behind next(), for what has rules of its own; resume() goes on behind that.
  std::string_view rest() const { return rest_; }
  void resume(std::string_view rest) {
    rest_ = rest;
    advance();
  }

  // Where next() begins, counted from 1.
  std::size_t position() const { return all_.size() - rest_.size() - next_.text.size() + 1; }
  std::size_t position_of(std::string_view rest) const { return all_.size() - rest.size() + 1; }

 private:
  void take(Token::Kind kind, std::size_t bytes);
  void take_sign();
  void take_dash();
  void take_name();

  std::string_view all_, rest_;
  Token next_;
};

}  // namespace steelyard::expr
