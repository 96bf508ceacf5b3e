#include "apacheconf/arguments.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

struct Shape {
  std::size_t least = 0, most = any_number;
  std::string_view claim;  // "takes one argument"
};

Shape shape_of(Arguments arguments) {
  switch (arguments) {
    case Arguments::none:
      return {0, 0, "takes no arguments"};
    case Arguments::one:
      return {1, 1, "takes one argument"};
    case Arguments::two:
      return {2, 2, "takes two arguments"};
    case Arguments::three:
      return {3, 3, "takes three arguments"};
    case Arguments::one_or_two:
      return {1, 2, "takes 1-2 arguments"};
    case Arguments::two_or_three:
      return {2, 3, "takes two or three arguments"};
    case Arguments::one_two_or_three:
      return {1, 3, "takes one, two or three arguments"};
    case Arguments::one_or_three:
      return {1, 3, "takes one or three arguments"};
    case Arguments::one_or_more:
      return {1, any_number, "requires at least one argument"};
    case Arguments::two_or_more:
      return {2, any_number, "requires at least two arguments"};
    case Arguments::flag:
    case Arguments::raw:
    case Arguments::section:
    case Arguments::empty_section:
      return {};
  }
  return {};
}

std::string check_section(const Directive& directive, const Statement& statement) {
  const std::string tag = std::string(directive.name) + '>';
  if (statement.unterminated) return tag + " directive missing closing '>'";
  const bool wants_argument = directive.arguments == Arguments::section;
  if (wants_argument && statement.text.empty()) {
    return tag + " directive requires additional arguments";
  }
  if (!wants_argument && !statement.text.empty()) {
    return tag + " directive doesn't take additional arguments";
  }
  return {};
}

}  // namespace

std::string check_arguments(const Directive& directive, const Statement& statement) {
  const std::string name(directive.name);
  const std::size_t count = statement.words.size();
  if (statement.is_section()) return check_section(directive, statement);
  if (directive.arguments == Arguments::flag) {
    // httpd ignores what follows.
    const bool fits = count > 0 && (equals_ignoring_case(statement.words[0], "on") ||
                                    equals_ignoring_case(statement.words[0], "off"));
    return fits ? std::string() : name + " must be On or Off";
  }
  const Shape shape = shape_of(directive.arguments);
  const auto needed = std::span(statement.words).first(std::min(shape.least, count));
  const bool has_empty = std::ranges::any_of(needed, &std::string::empty);  // httpd: none at all
  const bool fits = count >= shape.least && count <= shape.most && !has_empty &&
                    (directive.arguments != Arguments::one_or_three || count != 2);
  if (fits) return {};
  std::string text = name + ' ' + std::string(shape.claim);
  if (!directive.help.empty()) text += ", " + std::string(directive.help);
  return text;
}

bool is_on(const Statement& statement) { return equals_ignoring_case(statement.words.at(0), "on"); }

}  // namespace steelyard::apacheconf
