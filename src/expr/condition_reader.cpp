#include "expr/condition_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "expr/client_network.hpp"
#include "expr/functions.hpp"
#include "expr/suggestion.hpp"
#include "expr/variables.hpp"

namespace steelyard::expr {
namespace {

constexpr std::string_view about_words =
    "a word is 'text', \"text\", %{NAME}, function('text'), $1 or digits";

struct UnaryOperator {
  char letter;
  ConditionNode::Kind kind;
  FileTrait trait = FileTrait::exists;
};
constexpr UnaryOperator unary_operators[] = {
    {'n', ConditionNode::Kind::not_empty},
    {'z', ConditionNode::Kind::empty},
    {'T', ConditionNode::Kind::switched_on},
    {'R', ConditionNode::Kind::client_network},
    {'e', ConditionNode::Kind::file, FileTrait::exists},
    {'d', ConditionNode::Kind::file, FileTrait::directory},
    {'f', ConditionNode::Kind::file, FileTrait::regular},
    {'s', ConditionNode::Kind::file, FileTrait::with_bytes},
    {'L', ConditionNode::Kind::file, FileTrait::link},
    {'h', ConditionNode::Kind::file, FileTrait::link},
    {'x', ConditionNode::Kind::file, FileTrait::executable},
};

struct BinaryOperator {
  std::string_view name;
  ConditionNode::Kind kind;
};
constexpr BinaryOperator binary_operators[] = {
    {"-ipmatch", ConditionNode::Kind::network},
    {"-strmatch", ConditionNode::Kind::glob},
    {"-strcmatch", ConditionNode::Kind::any_case_glob},
    {"-fnmatch", ConditionNode::Kind::path_glob},
};

constexpr std::pair<std::string_view, Order> orders[] = {
    {"=", Order::equal},
    {"==", Order::equal},
    {"eq", Order::equal},
    {"!=", Order::not_equal},
    {"ne", Order::not_equal},
    {"<", Order::less},
    {"lt", Order::less},
    {"<=", Order::less_or_equal},
    {"le", Order::less_or_equal},
    {">", Order::greater},
    {"gt", Order::greater},
    {">=", Order::greater_or_equal},
    {"ge", Order::greater_or_equal},
};

Order order_of(std::string_view sign) {
  if (sign.starts_with('-')) sign.remove_prefix(1);
  return std::ranges::find(orders, sign, &std::pair<std::string_view, Order>::first)->second;
}

// httpd's separators of m#...#; a letter, a bracket or @ is none.
bool separates_regex(char c) {
  return std::string_view("/#$%^,;:_?|-!.'\"").find(c) != std::string_view::npos;
}

}  // namespace

std::expected<ConditionNode, Complaint> ConditionReader::read() {
  Node node = read_any();
  if (node && !is_at(Kind::end)) return unexpected("join conditions with && or ||");
  return node;
}

bool ConditionReader::take(Kind kind) {
  if (!is_at(kind)) return false;
  tokens_.advance();
  return true;
}

std::unexpected<Complaint> ConditionReader::refused(std::string text, std::string advice) const {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

std::unexpected<Complaint> ConditionReader::unexpected(std::string advice) const {
  if (is_at(Kind::end)) return refused("syntax error, unexpected end", std::move(advice));
  return refused("syntax error at character " + std::to_string(tokens_.position()) +
                     ", unexpected " + std::string(tokens_.next().text),
                 std::move(advice));
}

ConditionReader::Node ConditionReader::read_any() {
  Node first = read_all();
  if (!first || !is_at(Kind::disjunction)) return first;
  ConditionNode node{.kind = ConditionNode::Kind::any};
  node.children.push_back(std::move(*first));
  while (take(Kind::disjunction)) {
    Node next = read_all();
    if (!next) return next;
    node.children.push_back(std::move(*next));
  }
  return node;
}

ConditionReader::Node ConditionReader::read_all() {
  Node first = read_negation();
  if (!first || !is_at(Kind::conjunction)) return first;
  ConditionNode node{.kind = ConditionNode::Kind::all};
  node.children.push_back(std::move(*first));
  while (take(Kind::conjunction)) {
    Node next = read_negation();
    if (!next) return next;
    node.children.push_back(std::move(*next));
  }
  return node;
}

ConditionReader::Node ConditionReader::read_negation() {
  bool is_negated = false;
  while (take(Kind::negation)) is_negated = !is_negated;
  Node operand = read_operand();
  if (!operand || !is_negated) return operand;
  ConditionNode node{.kind = ConditionNode::Kind::negation};
  node.children.push_back(std::move(*operand));
  return node;
}

ConditionReader::Node ConditionReader::read_operand() {
  if (take(Kind::always)) return ConditionNode{.kind = ConditionNode::Kind::always};
  if (take(Kind::never)) return ConditionNode{.kind = ConditionNode::Kind::never};
  if (is_at(Kind::open)) return read_enclosed();
  if (is_at(Kind::unary)) return read_unary();
  return read_comparison();
}

ConditionReader::Node ConditionReader::read_enclosed() {
  if (depth_ == depth_max) return refused("Recursion limit exceeded", "nest fewer parentheses");
  tokens_.advance();
  ++depth_;
  Node node = read_any();
  --depth_;
  if (node && !take(Kind::close)) return unexpected("close the parenthesis");
  return node;
}

ConditionReader::Node ConditionReader::read_unary() {
  const std::string name(tokens_.next().text);
  const auto* const known = std::ranges::find(unary_operators, name.back(), &UnaryOperator::letter);
  if (name == "-F" || name == "-U" || name == "-A") {
    return refused("The operator " + name +
                       " is not supported: it would ask whether a path can be "
                       "reached from here",
                   "compare %{REQUEST_URI}, or write Require in a <Location> for the path");
  }
  if (known == std::end(unary_operators)) {
    return refused("Unary operator '" + name + "' does not exist",
                   "known are -n -z -T -R -d -e -f -s -L -h -x; a negative number needs digits");
  }
  tokens_.advance();
  ConditionNode node{.kind = known->kind, .trait = known->trait};
  if (node.kind == ConditionNode::Kind::client_network) {
    if (Outcome outcome = read_network(node, name); !outcome)
      return std::unexpected(std::move(outcome.error()));
    return node;
  }
  Words word = read_word();
  if (!word) return std::unexpected(std::move(word.error()));
  node.left = std::move(*word);
  return node;
}

ConditionReader::Node ConditionReader::read_comparison() {
  Words left = read_word();
  if (!left) return std::unexpected(std::move(left.error()));
  ConditionNode node;
  node.left = std::move(*left);
  switch (const Kind kind = tokens_.next().kind) {
    case Kind::order:
    case Kind::integer_order:
      return read_ordered(std::move(node), kind);
    case Kind::matches:
    case Kind::matches_not:
      return read_pattern(std::move(node));
    case Kind::binary:
      return read_binary(std::move(node));
    case Kind::in:
      tokens_.advance();
      if (Outcome outcome = read_list(node); !outcome)
        return std::unexpected(std::move(outcome.error()));
      return node;
    default:
      return unexpected(
          "compare the word: == 'text', =~ /pattern/, -eq 5, -in {'a','b'}; or ask "
          "-n for whether it is empty");
  }
}

ConditionReader::Node ConditionReader::read_ordered(ConditionNode&& node, Kind kind) {
  using enum ConditionNode::Kind;
  const std::string_view sign = tokens_.next().text;
  node.kind = kind == Kind::order ? text : integer;
  if (comparisons_ == Comparisons::of_ssl_require && !sign.starts_with('-')) node.kind = measured;
  node.order = order_of(sign);
  tokens_.advance();
  Words right = read_word();
  if (!right) return std::unexpected(std::move(right.error()));
  node.right = std::move(*right);
  return std::move(node);
}

ConditionReader::Node ConditionReader::read_pattern(ConditionNode&& node) {
  const bool is_negated = is_at(Kind::matches_not);
  auto regex = read_regex();
  if (!regex) return std::unexpected(std::move(regex.error()));
  node.kind = ConditionNode::Kind::pattern;
  node.regex = std::move(*regex);
  if (!is_negated) return std::move(node);
  ConditionNode negation{.kind = ConditionNode::Kind::negation};
  negation.children.push_back(std::move(node));
  return negation;
}

// The first separator ends it: a backslash does not protect one (httpd).
std::expected<Regex, Complaint> ConditionReader::read_regex() {
  const std::string form = "write /pattern/, or m#pattern# with one of / # $ % ^ , ; : _ ? | - ! .";
  std::string_view rest = after_blanks(tokens_.rest());
  const std::size_t at = tokens_.position_of(rest);
  const bool has_m = rest.starts_with('m');
  if (has_m) rest.remove_prefix(1);
  const bool is_word = has_m && rest.starts_with('_');  // m_x is a name to httpd's reader
  if (rest.empty() || is_word || (has_m ? !separates_regex(rest.front()) : rest.front() != '/')) {
    return refused(
        "syntax error at character " + std::to_string(at) + ", a regular expression is missing",
        form);
  }
  const char separator = rest.front();
  rest.remove_prefix(1);
  const std::size_t end = rest.find(separator);
  if (end == std::string_view::npos) {
    return refused("The regular expression at character " + std::to_string(at) + " does not end",
                   std::string("close it with ") + separator);
  }
  if (end > regex_bytes_max) {
    return refused("Regexp too long", "at most " + std::to_string(regex_bytes_max) + " bytes");
  }
  const std::string_view pattern = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  const bool ignores_case = rest.starts_with('i');
  if (ignores_case) rest.remove_prefix(1);
  auto regex =
      Regex::compile(pattern, ignores_case ? RegexCase::insensitive : RegexCase::sensitive);
  if (!regex) {
    const bool is_cut = pattern.ends_with('\\');
    return refused("Failed to compile regular expression at character " + std::to_string(at),
                   "\"" + std::string(pattern) + "\": " + regex.error() +
                       (is_cut ? "; it ends at the first separator: write m#...# around it" : ""));
  }
  tokens_.resume(rest);
  return std::move(*regex);
}

ConditionReader::Node ConditionReader::read_binary(ConditionNode&& node) {
  const std::string name(tokens_.next().text);
  const auto* const known = std::ranges::find_if(
      binary_operators, [&name](const auto& row) { return equals_ignoring_case(row.name, name); });
  if (known == std::end(binary_operators)) {
    return refused("Binary operator '" + name + "' does not exist",
                   "known are -ipmatch -strmatch -strcmatch -fnmatch -in -eq -ne -lt -le -gt -ge");
  }
  tokens_.advance();
  node.kind = known->kind;
  if (node.kind == ConditionNode::Kind::network) {
    if (Outcome outcome = read_network(node, "-ipmatch"); !outcome)
      return std::unexpected(std::move(outcome.error()));
    return std::move(node);
  }
  Words right = read_word();
  if (!right) return std::unexpected(std::move(right.error()));
  node.right = std::move(*right);
  return std::move(node);
}

ConditionReader::Outcome ConditionReader::read_network(ConditionNode& node, std::string_view name) {
  const Words word = read_word();
  if (!word) return std::unexpected(word.error());
  const std::string form = "write '10.1.2.3', '10.1', '10.1.0.0/16' or '2001:db8::/32'";
  if (!word->is_constant()) {
    return refused(std::string(name) + " requires subnet/netmask as constant argument", form);
  }
  auto network = parse_client_network(word->constant_text());
  if (!network) return refused("parsing of subnet/netmask failed", network.error() + ' ' + form);
  node.network = *network;
  return {};
}

ConditionReader::Outcome ConditionReader::read_list(ConditionNode& node) {
  const std::string form = "write { 'this', 'that' }";
  if (is_at(Kind::name)) return read_list_function(node);
  if (!take(Kind::open_list)) return unexpected(form);
  node.kind = ConditionNode::Kind::list;
  do {
    Words word = read_word();
    if (!word) return std::unexpected(std::move(word.error()));
    node.words.push_back(std::move(*word));
  } while (take(Kind::comma));
  if (!take(Kind::close_list)) return unexpected(form);
  return {};
}

ConditionReader::Outcome ConditionReader::read_list_function(ConditionNode& node) {
  const std::string name(tokens_.next().text);
  if (!equals_ignoring_case(name, "PeerExtList")) {
    return refused("List-returning function '" + name + "' does not exist",
                   "write { 'this', 'that' }, or PeerExtList('1.2.3.4')");
  }
  tokens_.advance();
  if (!take(Kind::open)) return unexpected("write PeerExtList('1.2.3.4')");
  Words kind = read_word();
  if (!kind) return std::unexpected(std::move(kind.error()));
  if (!take(Kind::close)) return unexpected("a function takes one word: close the parenthesis");
  node.kind = ConditionNode::Kind::peer_extension;
  node.right = std::move(*kind);
  return {};
}

ConditionReader::Words ConditionReader::read_word() {
  Words word = read_simple_word();
  while (word && take(Kind::concatenation)) {
    Words next = read_simple_word();
    if (!next) return next;
    word->add(std::move(*next));
  }
  return word;
}

ConditionReader::Words ConditionReader::read_simple_word() {
  Word word;
  switch (tokens_.next().kind) {
    case Kind::digits:
      word.add_text(tokens_.next().text);
      break;
    case Kind::group:
      word.add_group(static_cast<std::size_t>(tokens_.next().text[1] - '0'));
      break;
    case Kind::quote:
    case Kind::reference:
      return read_marked();
    case Kind::name:
      return read_call();
    default:
      return unexpected(std::string(about_words));
  }
  tokens_.advance();
  return word;
}

ConditionReader::Words ConditionReader::read_marked() {
  Word word;
  const std::size_t at = tokens_.position();
  WordReader reader(tokens_.rest());
  Outcome outcome = is_at(Kind::quote) ? reader.read_quoted(word, tokens_.next().text.front())
                                       : reader.read_reference(word);
  if (!outcome) {
    outcome.error().text += " (in the word at character " + std::to_string(at) + ")";
    return std::unexpected(std::move(outcome.error()));
  }
  tokens_.resume(reader.rest());
  return word;
}

ConditionReader::Words ConditionReader::read_call() {
  const std::string name(tokens_.next().text);
  const std::size_t at = tokens_.position();
  if (!after_blanks(tokens_.rest()).starts_with('(')) {
    const std::string advice = find_variable(name) != nullptr
                                   ? "write %{" + name + "}"
                                   : "put quotes around text: '" + name + "'";
    return unexpected(advice);
  }
  const Function* const function = find_function(name);
  if (function == nullptr) {
    return refused(
        "Function '" + name + "' does not exist (at character " + std::to_string(at) + ")",
        suggestion(function_like(name)));
  }
  if (depth_ == depth_max) return refused("Recursion limit exceeded", "nest fewer calls");
  tokens_.advance();
  tokens_.advance();
  ++depth_;
  Words argument = read_word();
  --depth_;
  if (!argument) return argument;
  if (!take(Kind::close)) return unexpected("a function takes one word: close the parenthesis");
  Word word;
  word.add_call(*function, std::move(*argument));
  return word;
}

}  // namespace steelyard::expr
