#pragma once

#include <cstddef>
#include <expected>
#include <optional>
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

  using Outcome = std::expected<void, Complaint>;

  static constexpr int depth_max = 20;                    // calls within calls
  static constexpr std::size_t literal_bytes_max = 8191;  // httpd's limit, for text between %{...}

  // The whole text.
  std::expected<Word, Complaint> read();

  // The parts of conditions; each adds to the word and leaves what stands behind it in rest().
  Outcome read_quoted(Word& word, char quote);                            // behind the first quote
  Outcome read_reference(Word& word) { return read_reference(word, 0); }  // behind %{
  std::string_view rest() const { return rest_; }

 private:
  // Up to the end, or up to the '}' that ends an argument, or up to the closing quote.
  Outcome read_into(Word& word, int depth);
  bool at_end(int depth) const;
  Outcome add_literal(Word& word, std::string_view text);
  Outcome read_reference(Word& word, int depth);
  Outcome read_call(Word& word, std::string_view name, int depth);
  std::expected<std::string_view, Complaint> read_name();
  Outcome read_escape(Word& word);
  Outcome read_octal(Word& word);
  Outcome read_plain(Word& word);
  bool at_group() const;

  std::string_view rest_;
  std::optional<char> quote_;
  std::size_t literal_bytes_ = 0;  // of the text that is being read
};

}  // namespace steelyard::expr
