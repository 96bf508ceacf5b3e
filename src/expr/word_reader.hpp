#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/word.hpp"

// Turns the text of a word into a Word:
//
//   text     := (plain | \escape | $digit | %{NAME} | %{function:text})*
//   \escape  := \n \r \t \b \f, one to three octal digits, any other byte for itself
//
// A '%' without '{' and a '$' without a digit stand for themselves. Threads: one owner, one use.

namespace steelyard::expr {

class WordReader {
 public:
  explicit WordReader(std::string_view text) : rest_(text) {}

  // The whole text.
  std::expected<Word, Complaint> read();

 private:
  static constexpr int depth_max = 20;  // calls within calls

  using Outcome = std::expected<void, Complaint>;

  // Up to the end, or up to the '}' that ends an argument.
  Outcome read_into(Word& word, int depth);
  Outcome read_reference(Word& word, int depth);
  Outcome read_call(Word& word, std::string_view name, int depth);
  std::expected<std::string_view, Complaint> read_name();
  Outcome read_escape(Word& word);
  Outcome read_octal(Word& word);
  void read_plain(Word& word);
  bool at_group() const;

  std::string_view rest_;
};

}  // namespace steelyard::expr
