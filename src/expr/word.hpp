#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expr/evaluation.hpp"

// The text-valued part of httpd's expression language, compiled: literals, variables and calls, in
// the order in which their texts are joined. Both modes of the language are made of words.
//
// Threads: immutable.

namespace steelyard::expr {

struct Variable;  // variables.hpp
struct Function;  // functions.hpp

class Word {
 public:
  void add_text(std::string_view text);  // joins with literal text before it
  void add_variable(const Variable& variable, std::string_view name);
  void add_call(const Function& function, Word argument);
  void add_group(std::size_t number);  // $0 to $9
  void add(Word other);

  bool is_constant() const;
  std::string_view constant_text() const;  // of a constant word
  std::string_view evaluate(Evaluation& evaluation) const;

 private:
  struct Piece {
    std::string text;  // literal, or a variable's name
    const Variable* variable = nullptr;
    const Function* function = nullptr;
    std::vector<Word> argument;  // one for a call
    std::optional<std::size_t> group;

    bool is_text() const { return variable == nullptr && function == nullptr && !group; }
  };
  static std::string_view evaluate(const Piece& piece, Evaluation& evaluation);

  std::vector<Piece> pieces_;
};

}  // namespace steelyard::expr
