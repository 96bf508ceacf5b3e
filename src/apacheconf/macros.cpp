// <Macro>, Use, UndefMacro: text with parameters, replaced before variables are.
#include "apacheconf/composer.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

std::string quoted_place(const std::string& file, std::uint32_t line) {
  return "line " + std::to_string(line) + " of \"" + file + '"';
}

// The earliest parameter in the text, the longest of those that begin there.
std::size_t find_parameter(std::string_view text, const std::vector<std::string>& parameters,
                           std::size_t from, std::size_t& which) {
  std::size_t best = std::string_view::npos;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::size_t at = text.find(parameters[i], from);
    const bool better = at < best || (at != std::string_view::npos && at == best &&
                                      parameters[i].size() > parameters[which].size());
    if (better) {
      best = at;
      which = i;
    }
  }
  return best;
}

// What stands for a parameter. One that begins with '@' is replaced by a word in quotes (httpd);
// but a value that is its own name stays as it is.
std::string stand_in(const std::string& parameter, const std::string& value) {
  if (!parameter.starts_with('@') || value == parameter) return value;
  std::string quoted = "\"";
  for (const char each : value) {
    if (each == '"' || each == '\\') quoted += '\\';
    quoted += each;
  }
  return quoted + '"';
}

// nullopt: it would become longer than that.
std::optional<std::string> substitute(std::string_view line,
                                      const std::vector<std::string>& parameters,
                                      const std::vector<std::string>& values,
                                      std::size_t bytes_max) {
  std::string result;
  std::size_t from = 0, which = 0;
  while (true) {
    const std::size_t at = find_parameter(line, parameters, from, which);
    if (at == std::string_view::npos) break;
    result.append(line.substr(from, at - from));
    result.append(values[which]);
    from = at + parameters[which].size();
    if (result.size() > bytes_max) return std::nullopt;
  }
  result.append(line.substr(from));
  return result;
}

bool uses(const std::vector<std::string>& body, const std::string& parameter) {
  return std::any_of(body.begin(), body.end(), [&](const std::string& line) {
    return line.find(parameter) != std::string::npos;
  });
}

}  // namespace

std::vector<std::string> Composer::macro_body(Stream& stream, bool& closed) {
  std::vector<std::string> body;
  std::size_t nested = 0;
  closed = false;
  while (std::optional<Line> line = stream.lines.next_raw()) {
    stream.line = line->number;
    if (++lines_ > options_.limits.lines_max) break;
    if (starts_with_ignoring_case(line->text, "<Macro")) ++nested;
    if (starts_with_ignoring_case(line->text, "</Macro>") && nested-- == 0) {
      closed = true;
      break;
    }
    body.push_back(std::move(line->text));
  }
  return body;
}

void Composer::define_macro(Stream& stream, const Statement& statement) {
  const std::uint32_t opened = stream.line;
  Macro macro;
  bool closed = false;
  macro.body = macro_body(stream, closed);
  const std::uint32_t ended = std::exchange(stream.line, opened);  // complain about the first line
  if (statement.words.empty() || statement.words[0].empty()) {
    complain("<Macro macro definition: empty name", "Write <Macro Name $parameter ...>.");
    stream.line = ended;
    return;
  }
  macro.name = statement.words[0];
  macro.parameters.assign(statement.words.begin() + 1, statement.words.end());
  macro.place = quoted_place(stream.source->name, opened);
  macro.defined = "macro '" + macro.name + "' (defined on " + macro.place + ')';
  if (!closed) complain(macro.defined + "\n\tcontents error: expected token not found: </Macro>");
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const std::string& parameter = macro.parameters[i];
    const std::string which = "argument '" + parameter + "' (#" + std::to_string(i + 1) + ')';
    if (parameter.empty()) complain(macro.defined + ": empty argument #" + std::to_string(i + 1));
    const auto here = macro.parameters.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(macro.parameters.begin(), here, parameter) != here) {
      complain(macro.defined + ": " + which + " is named twice: argument names must be unique");
    }
    if (closed && !uses(macro.body, parameter)) warn(macro.defined + ": " + which + " never used");
  }
  stream.line = ended;
  std::erase(macro.parameters, std::string());
  Macro& slot = macros_[to_lower(macro.name)];
  if (!slot.name.empty()) {
    warn("macro '" + macro.name + "' multiply defined: defined on " + slot.place +
         ", redefined on " + macro.place);
  }
  if (!slot.in_use) slot = std::move(macro);
}

void Composer::use_macro(Stream& stream, const Statement& statement, Statements& into) {
  if (macros_.empty()) {
    complain("no macro defined before Use");
    return;
  }
  const auto found = macros_.find(to_lower(statement.words[0]));
  if (found == macros_.end()) {
    std::vector<std::string_view> names;
    names.reserve(macros_.size());
    for (const auto& [key, each] : macros_) names.push_back(each.name);
    const std::string_view near = nearest(statement.words[0], names);
    std::string defined = "Defined are:";
    for (const std::string_view name : names) defined.append(" ").append(name);
    complain("macro '" + statement.words[0] + "' undefined",
             near.empty() ? defined + '.' : "Did you mean " + std::string(near) + '?');
    return;
  }
  Macro& macro = found->second;
  std::vector<std::string> values(statement.words.begin() + 1, statement.words.end());
  if (values.size() != macro.parameters.size()) {
    complain(macro.defined + " used with " + std::to_string(values.size()) +
             " arguments instead of " + std::to_string(macro.parameters.size()));
    return;
  }
  if (macro.in_use) {
    complain("recursive use of macro '" + macro.name + "' is invalid");
    return;
  }
  if (too_deep(stream, macro.name)) return;
  std::ranges::transform(macro.parameters, values, values.begin(), stand_in);
  std::string text;
  for (const std::string& line : macro.body) {
    const std::size_t left = options_.limits.expanded_bytes_max - expanded_bytes_ - text.size();
    const std::optional<std::string> expanded = substitute(line, macro.parameters, values, left);
    if (expanded) {
      text += *expanded;
      text += '\n';
    }
    if (!expanded || expanded_bytes_ + text.size() > options_.limits.expanded_bytes_max) {
      complain("Macros and variables expand to more than " +
               std::to_string(options_.limits.expanded_bytes_max) + " bytes");
      exhausted_ = true;
      return;
    }
  }
  expanded_bytes_ += text.size();
  macro.in_use = true;
  run_text(macro.defined + " used on " + quoted_place(stream.source->name, stream.line), text,
           stream.source, &stream, into);
  macro.in_use = false;
  stream_ = &stream;
}

void Composer::forget_macro(const Statement& statement) {
  const auto found = macros_.find(to_lower(statement.words[0]));
  if (macros_.empty()) {
    complain("no macro defined before UndefMacro");
  } else if (found == macros_.end()) {
    complain("cannot remove undefined macro '" + statement.words[0] + "'");
  } else if (!found->second.in_use) {
    macros_.erase(found);
  }
}

}  // namespace steelyard::apacheconf
