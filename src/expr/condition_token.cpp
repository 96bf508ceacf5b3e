#include "expr/condition_token.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"

namespace steelyard::expr {
namespace {

using Kind = Token::Kind;

// Longer ones first.
constexpr std::pair<std::string_view, Kind> signs[] = {
    {"==", Kind::order},        {"!=", Kind::order},       {"<=", Kind::order},
    {">=", Kind::order},        {"=~", Kind::matches},     {"!~", Kind::matches_not},
    {"&&", Kind::conjunction},  {"||", Kind::disjunction}, {"%{", Kind::reference},
    {"=", Kind::order},         {"<", Kind::order},        {">", Kind::order},
    {"!", Kind::negation},      {"(", Kind::open},         {")", Kind::close},
    {"{", Kind::open_list},     {"}", Kind::close_list},   {",", Kind::comma},
    {".", Kind::concatenation}, {"'", Kind::quote},        {"\"", Kind::quote},
};

// Written without a dash; case counts.
constexpr std::pair<std::string_view, Kind> keywords[] = {
    {"true", Kind::always},      {"false", Kind::never},      {"not", Kind::negation},
    {"and", Kind::conjunction},  {"or", Kind::disjunction},   {"in", Kind::in},
    {"eq", Kind::integer_order}, {"ne", Kind::integer_order}, {"lt", Kind::integer_order},
    {"le", Kind::integer_order}, {"gt", Kind::integer_order}, {"ge", Kind::integer_order},
};

// The keywords that may have a dash.
bool is_operator(Kind kind) { return kind == Kind::in || kind == Kind::integer_order; }

Kind keyword(std::string_view word) {
  const auto* const known =
      std::ranges::find(keywords, word, &std::pair<std::string_view, Kind>::first);
  return known == std::end(keywords) ? Kind::name : known->second;
}

bool continues_name(char c) { return is_alnum(c) || c == '_'; }

std::size_t name_bytes(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, continues_name) - text.begin());
}

std::size_t digit_bytes(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

}  // namespace

std::string_view after_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\n"), text.size()));
}

void TokenReader::take(Kind kind, std::size_t bytes) {
  next_ = {kind, rest_.substr(0, bytes)};
  rest_.remove_prefix(bytes);
}

void TokenReader::advance() {
  rest_ = after_blanks(rest_);
  if (rest_.empty()) {
    next_ = {};
    return;
  }
  const char first = rest_.front();
  const bool has_second = rest_.size() > 1;
  if (is_digit(first)) {
    take(Kind::digits, digit_bytes(rest_));
  } else if (is_alpha(first)) {
    take_name();
  } else if (first == '-') {
    take_dash();
  } else if (first == '$' && has_second && is_digit(rest_[1])) {
    take(Kind::group, 2);
  } else {
    take_sign();
  }
}

void TokenReader::take_name() {
  const std::size_t bytes = name_bytes(rest_);
  take(keyword(rest_.substr(0, bytes)), bytes);
}

// -5, -n, -in, -ipmatch.
void TokenReader::take_dash() {
  const std::string_view behind = rest_.substr(1);
  if (!behind.empty() && is_digit(behind.front()))
    return take(Kind::digits, 1 + digit_bytes(behind));
  if (behind.empty() || !is_alpha(behind.front())) return take(Kind::unknown, 1);
  const std::size_t bytes = name_bytes(behind);
  if (bytes == 1) return take(Kind::unary, 2);
  const Kind kind = keyword(behind.substr(0, bytes));
  take(is_operator(kind) ? kind : Kind::binary, 1 + bytes);
}

void TokenReader::take_sign() {
  for (const auto& [sign, kind] : signs) {
    if (rest_.starts_with(sign)) return take(kind, sign.size());
  }
  take(Kind::unknown, 1);
}

}  // namespace steelyard::expr
