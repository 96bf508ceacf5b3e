#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expr/facts.hpp"

// The text-valued part of httpd's expression language, compiled: literals, variables and calls, in
// the order in which their texts are joined. Both modes of the language are made of words.
//
// Threads: immutable.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

struct Variable;  // variables.hpp
struct Function;  // functions.hpp

class Word {
 public:
  void add_text(std::string_view text);  // joins with literal text before it
  void add_variable(const Variable& variable);
  void add_call(const Function& function, Word argument);

  bool is_constant() const;
  std::string_view evaluate(const Facts& facts, Arena& arena) const;

 private:
  struct Piece {
    std::string text;
    const Variable* variable = nullptr;
    const Function* function = nullptr;
    std::vector<Word> argument;  // one for a call
  };
  static std::string_view evaluate(const Piece& piece, const Facts& facts, Arena& arena);

  std::vector<Piece> pieces_;
};

}  // namespace steelyard::expr
