// Blocks whose condition holds for httpd and not for this program, or the other way about.
#include "apacheconf/composer.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

// Their effect is seen in the lines that they bring in.
bool is_read_at_once(std::string_view name) {
  return equals_ignoring_case(name, "Include") || equals_ignoring_case(name, "IncludeOptional") ||
         equals_ignoring_case(name, "Use");
}

}  // namespace

// Told at the first line of the block, where order_ still is that of the line.
void Composer::tell_contested(Stream& stream, const Statement& statement,
                              const ContestedLines& lines, const std::string& fate,
                              std::string advice) {
  using Weight = ContestedLines::Weight;
  if (lines.weight() == Weight::nothing) return;
  const std::uint32_t ended = std::exchange(stream.line, statement.line);
  const std::uint32_t order_at_end = std::exchange(order_, statement.order);
  stream_ = &stream;
  if (const std::string variables = lines.variables(); !variables.empty()) {
    advice += " Look also at the <IfDefine> blocks and the ${...} that name " + variables +
              ": httpd reads them differently.";
  }
  std::string text = "Lines " + std::to_string(statement.line) + " to " + std::to_string(ended) +
                     " are " + fate + ": " + lines.names();
  if (lines.weight() == Weight::decisive) {
    complain(std::move(text), std::move(advice));
  } else if (lines.weight() == Weight::noticeable) {
    warn(std::move(text), std::move(advice));
  } else {
    reading_.order = order_;
    reading_.note_at(here(), std::move(text));
  }
  stream.line = ended;
  order_ = order_at_end;
}

void Composer::leave_out(Stream& stream, const Statement& statement, const Absence& absence) {
  ContestedLines lines;
  skip_block(stream, statement.name.substr(1), &lines);
  std::string advice =
      "Put <IfModule !steelyard_module> around them when only httpd shall read them";
  if (!absence.module.empty()) {
    advice += ", or take out LoadModule " + absence.module + ": httpd then leaves them out too";
  }
  std::string fate = "left out because " + absence.what + " is not part of this program";
  const Module* const module = find_module(absence.module);
  if (module != nullptr && !module->note.empty())
    fate.append(" (").append(module->note).append(")");
  tell_contested(stream, statement, lines, fate, advice + '.');
}

// Executed, because what stands there is meant for a server without the module, and told, because
// httpd with the module does not execute it.
void Composer::execute_alone(Stream& stream, const Statement& statement, const Absence& absence,
                             Statements& into) {
  ContestedLines lines;
  ContestedLines* const outer = std::exchange(witness_, &lines);
  const bool httpd_read = std::exchange(httpd_reads_, false);
  read_inner(stream, statement.name.substr(1), into);
  httpd_reads_ = httpd_read;
  witness_ = outer;
  tell_contested(stream, statement, lines,
                 "skipped by httpd, which has " + absence.what + ", and executed here",
                 "Put <IfModule !steelyard_module> around them to skip them here too, or write "
                 "<IfModule steelyard_module> in place of the condition when they shall count.");
}

void Composer::execute_for_us(Stream& stream, const std::string& tag, Statements& into) {
  ContestedLines* const outer = std::exchange(witness_, nullptr);
  const bool httpd_read = std::exchange(httpd_reads_, false);
  read_inner(stream, tag, into);
  httpd_reads_ = httpd_read;
  witness_ = outer;
}

// One line that is executed.
void Composer::witness(const Statement& statement) {
  if (witness_ == nullptr || is_read_at_once(statement.name)) return;
  const bool loads_again = equals_ignoring_case(statement.name, "LoadModule") &&
                           !statement.words.empty() && reading_.has_module(statement.words[0]);
  if (!loads_again) witness_->add(statement.name, statement.text, line_place_);
}

// A macro decides nothing before it is used, and that may be where nobody listens.
void Composer::witness_macro(const Statement& definition) {
  if (witness_ == nullptr || definition.words.empty()) return;
  const auto found = macros_.find(to_lower(definition.words[0]));
  if (found == macros_.end()) return;
  const LinePlace outer = line_place_;
  for (const std::string& line : found->second.body) {
    const Statement statement = parse_line(line);
    const std::string_view name = statement.name;
    if (name.starts_with("</")) {
      if (covers_files(name.substr(2, name.find('>') - 2))) line_place_ = outer;
    } else if (!name.empty()) {
      if (covers_files(name.substr(1))) line_place_ = LinePlace::files;
      witness(statement);
    }
  }
  line_place_ = outer;
}

}  // namespace steelyard::apacheconf
