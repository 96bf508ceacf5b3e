#include "apacheconf/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "apacheconf/odd_characters.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

// Of the way to a fault; files that include each other make long ones.
constexpr std::size_t steps_max = 8;

std::string_view title(Severity severity) {
  switch (severity) {
    case Severity::fault:
      return "Syntax error";
    case Severity::warning:
      return "Warning";
    case Severity::note:
      return "Note";
  }
  return {};
}

std::string line_of(const config::Place& place) {
  return "line " + std::to_string(place.line) + " of " + *place.file;
}

}  // namespace

std::string describe(const Diagnostic& diagnostic) {
  std::string text;
  if (diagnostic.place.file) {
    text = std::string(title(diagnostic.severity)) + " on " + line_of(diagnostic.place) + ":\n";
  } else if (diagnostic.severity != Severity::fault) {
    text = std::string(title(diagnostic.severity)) + ": ";
  }
  text += with_odd_characters_shown(diagnostic.text);
  if (!diagnostic.advice.empty()) {
    for (std::string_view line : split(diagnostic.advice, '\n')) text += "\n  " + std::string(line);
  }
  const std::size_t shown = std::min(diagnostic.trail.size(), steps_max);
  for (const config::Place& step : std::span(diagnostic.trail).first(shown))
    text += "\n  included on " + line_of(step);
  if (shown < diagnostic.trail.size())
    text += fmt::format("\n  and so on, {} files deep", diagnostic.trail.size());
  return text;
}

}  // namespace steelyard::apacheconf
