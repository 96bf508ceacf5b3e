#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/path_settings.hpp"

// The outcome of the first phase: what was written, with variables replaced, conditionals decided,
// files included and macros expanded. The second phase executes these.

namespace steelyard::apacheconf {

// A text that lines come from: a file, the command line, or one use of a macro. `name` is what
// messages print, e.g. `macro 'app' (defined on line 3 of "a.conf") used on line 9 of "a.conf"`.
struct Source {
  std::string name;
  std::shared_ptr<const Source> from;  // who included or used it; nullptr for the main file
  std::uint32_t from_line = 0;
  bool is_macro = false;  // then `name` says where it was used
};

struct Statement {
  std::string name;                // as written; sections begin with '<': "<Location"
  std::string text;                // argument text, blanks around it gone
  std::vector<std::string> words;  // the same, split by the word rule (words.hpp)
  std::shared_ptr<const Source> source;
  std::uint32_t line = 0;     // last physical line of the logical line
  std::uint32_t order = 0;    // position in reading order
  bool unterminated = false;  // a section line without '>'
  std::vector<Statement> children;

  bool is_section() const { return name.starts_with('<'); }
  config::Place place() const {
    return {std::shared_ptr<const std::string>(source, &source->name), line};
  }
};

}  // namespace steelyard::apacheconf
