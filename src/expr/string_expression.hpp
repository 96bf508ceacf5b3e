#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/facts.hpp"
#include "expr/word.hpp"

// Text with %{VARIABLE} and %{function:argument}: the string mode of httpd's expression language
// (ErrorDocument, Redirect in a section, Header values after `expr=`).
//
// Threads: immutable.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

class StringExpression {
 public:
  StringExpression() = default;  // the empty text
  static std::expected<StringExpression, Complaint> compile(std::string_view text);

  // A view of the expression when it has nothing to compute, else of the arena or of the facts.
  std::string_view evaluate(const Facts& facts, Arena& arena) const;
  // The same for who needs to know what could not be done.
  std::string_view evaluate(Evaluation& evaluation) const { return word_.evaluate(evaluation); }

  const std::string& text() const { return text_; }  // as written
  bool is_constant() const { return word_.is_constant(); }

 private:
  std::string text_;
  Word word_;
};

}  // namespace steelyard::expr
