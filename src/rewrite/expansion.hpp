#pragma once

#include <cstddef>
#include <string_view>

#include "base/regex.hpp"
#include "expr/evaluation.hpp"
#include "rewrite/escape.hpp"
#include "rewrite/subject.hpp"
#include "rewrite/template.hpp"

// Fills templates in for one request. Threads: the exchange's.

namespace steelyard::rewrite {

class Expansion {
 public:
  Expansion(Subject& subject, Arena& arena, std::size_t bytes_max)
      : subject_(subject), arena_(arena), bytes_left_(bytes_max) {}

  RegexMatch rule_groups, condition_groups;
  std::string_view text;   // REQUEST_FILENAME
  bool is_traced = false;  // somebody wants to know what rules do

  // `escaping`: of back-references; null: none.
  std::string_view fill(const Template& source, const ReferenceEscaping* escaping = nullptr);
  // The first '?' of what fill() made last came from the request and not from the template: an
  // encoded one would turn a path into a query (httpd: UnsafeAllow3F).
  bool has_foreign_question_mark() const { return question_ == Question::foreign; }
  // More text was asked for than `bytes_max`; what fill() gives then is cut.
  bool is_exhausted() const { return exhausted_; }

  // The request fields that were looked at since set_vary() named none, as a Vary field
  // lists them.
  std::string_view vary() const { return vary_; }
  void set_vary(std::string_view names) { vary_ = names; }

 private:
  enum class Question { none, own, foreign };

  std::string_view value_of(const Template::Piece& piece, const ReferenceEscaping* escaping);
  std::string_view field(std::string_view name);
  std::string_view look_up(const Template::Piece& piece);
  // For text that is made. False: there is no room for it.
  bool charge(std::size_t bytes);

  Subject& subject_;
  Arena& arena_;
  std::size_t bytes_left_;
  bool exhausted_ = false;
  Question question_ = Question::none;
  std::string_view vary_;
};

}  // namespace steelyard::rewrite
