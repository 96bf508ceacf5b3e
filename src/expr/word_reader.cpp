#include "expr/word_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "expr/functions.hpp"
#include "expr/suggestion.hpp"
#include "expr/variables.hpp"

namespace steelyard::expr {
namespace {

std::unexpected<Complaint> refused(std::string text, std::string advice = {}) {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

bool is_octal(char c) { return c >= '0' && c <= '7'; }

char escaped_byte(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

}  // namespace

std::expected<Word, Complaint> WordReader::read() {
  Word word;
  if (Outcome outcome = read_into(word, 0); !outcome) {
    return std::unexpected(std::move(outcome.error()));
  }
  return word;
}

WordReader::Outcome WordReader::read_quoted(Word& word, char quote) {
  quote_ = quote;
  if (Outcome outcome = read_into(word, 0); !outcome) return outcome;
  quote_.reset();
  if (rest_.empty()) {
    return refused("Unterminated string or variable", std::string("close the text with ") + quote);
  }
  rest_.remove_prefix(1);
  return {};
}

bool WordReader::at_end(int depth) const {
  if (rest_.empty()) return true;
  return depth > 0 ? rest_.front() == '}' : rest_.front() == quote_;
}

WordReader::Outcome WordReader::read_into(Word& word, int depth) {
  literal_bytes_ = 0;
  while (!at_end(depth)) {
    Outcome outcome;
    if (rest_.front() == '\\') {
      outcome = read_escape(word);
    } else if (at_group()) {
      word.add_group(static_cast<std::size_t>(rest_[1] - '0'));
      rest_.remove_prefix(2);
      literal_bytes_ = 0;
    } else if (rest_.starts_with("%{")) {
      rest_.remove_prefix(2);
      outcome = read_reference(word, depth);
      literal_bytes_ = 0;
    } else {
      outcome = read_plain(word);
    }
    if (!outcome) return outcome;
  }
  return {};
}

WordReader::Outcome WordReader::add_literal(Word& word, std::string_view text) {
  literal_bytes_ += text.size();
  if (literal_bytes_ > literal_bytes_max) {
    return refused("String too long",
                   "at most " + std::to_string(literal_bytes_max) + " bytes may stand in a row");
  }
  word.add_text(text);
  return {};
}

bool WordReader::at_group() const {
  return rest_.size() >= 2 && rest_[0] == '$' && is_digit(rest_[1]);
}

WordReader::Outcome WordReader::read_plain(Word& word) {
  const std::size_t end = std::min(rest_.find_first_of("\\$%}'\"", 1), rest_.size());
  const std::string_view text = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return add_literal(word, text);
}

WordReader::Outcome WordReader::read_escape(Word& word) {
  rest_.remove_prefix(1);
  if (rest_.empty()) return add_literal(word, "\\");
  if (is_digit(rest_.front())) return read_octal(word);
  const char byte = escaped_byte(rest_.front());
  rest_.remove_prefix(1);
  return add_literal(word, {&byte, 1});
}

WordReader::Outcome WordReader::read_octal(Word& word) {
  const auto end = std::ranges::find_if_not(rest_, is_digit);
  const std::string_view digits = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (digits.size() > 3 || !std::ranges::all_of(digits, is_octal)) {
    return refused("Bad escape sequence", "write a byte as \\ with three octal digits");
  }
  int byte = 0;
  for (const char digit : digits) byte = byte * 8 + (digit - '0');
  if (byte > 0xff || byte == 0) {
    return refused("Escape sequence out of bound", "bytes go from \\001 to \\377");
  }
  const char written = static_cast<char>(byte);
  rest_.remove_prefix(digits.size());
  return add_literal(word, {&written, 1});
}

std::expected<std::string_view, Complaint> WordReader::read_name() {
  const auto continues = [](char c) { return is_alnum(c) || c == '_'; };
  const auto end = std::ranges::find_if_not(rest_, continues);
  const std::string_view name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (end == rest_.end()) {
    return refused("Unterminated string or variable", "close %{" + std::string(name) + " with }");
  }
  const bool is_name = !name.empty() && is_alpha(name.front());
  if (!is_name || (*end != '}' && *end != ':')) {
    const char wrong = !name.empty() && !is_name ? name.front() : *end;
    if (wrong == '}' || wrong == ':') return refused("A variable's name is missing behind %{");
    return refused("Invalid character in variable name " + quoted(std::string(1, wrong)));
  }
  rest_.remove_prefix(name.size());
  return name;
}

WordReader::Outcome WordReader::read_reference(Word& word, int depth) {
  const std::expected<std::string_view, Complaint> name = read_name();
  if (!name) return std::unexpected(name.error());
  const bool is_call = rest_.front() == ':';
  rest_.remove_prefix(1);
  if (is_call) return read_call(word, *name, depth);
  const Variable* variable = find_variable(*name);
  if (variable == nullptr) {
    return refused("Variable " + quoted(*name) + " does not exist",
                   find_function(*name) != nullptr
                       ? quoted(*name) + " is a function: write %{" + std::string(*name) + ":...}"
                       : suggestion(variable_like(*name)));
  }
  word.add_variable(*variable, *name);
  return {};
}

WordReader::Outcome WordReader::read_call(Word& word, std::string_view name, int depth) {
  const Function* function = find_function(name);
  if (function == nullptr) {
    return refused("Function " + quoted(name) + " does not exist", suggestion(function_like(name)));
  }
  if (depth == depth_max) return refused("Recursion limit exceeded", "nest fewer calls");
  if (rest_.starts_with('}')) return refused("Function " + quoted(name) + " needs an argument");
  Word argument;
  if (Outcome outcome = read_into(argument, depth + 1); !outcome) return outcome;
  if (rest_.empty()) {
    return refused("Unterminated string or variable", "close %{" + std::string(name) + ": with }");
  }
  rest_.remove_prefix(1);
  word.add_call(*function, std::move(argument));
  return {};
}

}  // namespace steelyard::expr
