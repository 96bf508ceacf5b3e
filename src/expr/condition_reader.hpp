#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/condition_node.hpp"
#include "expr/condition_token.hpp"
#include "expr/word_reader.hpp"

// Turns the text of a condition into its tree; the grammar stands in condition.hpp. Each function
// reads one rule of it. Threads: one owner, one use.

namespace steelyard::expr {

enum class Comparisons : std::uint8_t { usual, of_ssl_require };  // ssl_requirement.hpp

class ConditionReader {
 public:
  static constexpr int depth_max = 200;                 // parentheses, negations, calls
  static constexpr std::size_t regex_bytes_max = 8191;  // httpd's limit

  explicit ConditionReader(std::string_view text, Comparisons comparisons = Comparisons::usual)
      : tokens_(text), comparisons_(comparisons) {}
  std::expected<ConditionNode, Complaint> read();

 private:
  using Kind = Token::Kind;
  using Node = std::expected<ConditionNode, Complaint>;
  using Words = std::expected<Word, Complaint>;
  using Outcome = std::expected<void, Complaint>;

  Node read_any();
  Node read_all();
  Node read_negation();
  Node read_operand();
  Node read_enclosed();
  Node read_unary();
  Node read_comparison();
  Node read_ordered(ConditionNode&& node, Kind kind);
  Node read_pattern(ConditionNode&& node);
  Node read_binary(ConditionNode&& node);
  Outcome read_list(ConditionNode& node);
  Outcome read_list_function(ConditionNode& node);
  Outcome read_network(ConditionNode& node, std::string_view name);
  std::expected<Regex, Complaint> read_regex();

  Words read_word();
  Words read_simple_word();
  Words read_call();
  Words read_marked();  // 'text', "text", %{...}

  bool take(Kind kind);
  bool is_at(Kind kind) const { return tokens_.next().kind == kind; }
  std::unexpected<Complaint> unexpected(std::string advice) const;
  std::unexpected<Complaint> refused(std::string text, std::string advice) const;

  TokenReader tokens_;
  Comparisons comparisons_;
  int depth_ = 0;
};

}  // namespace steelyard::expr
