// `steelyard top`: the members of the server that runs, as a table for a terminal.
//
// The answer of the control socket becomes rows of text; keys change how they are looked at. What
// was answered may be of another version of the server: what is missing is shown as "-".
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard::manage {

struct TopView {
  std::size_t width = 0, height = 0;  // of the terminal; 0: as wide and high as need be
  bool has_colours = false;
  std::size_t sort = 0;  // a column
  bool descending = false, paused = false;
  std::size_t first = 0;  // row of the table that is shown first

  enum class Pressed : std::uint8_t { nothing, view, quit };
  // A key, or the escape sequence of one: q quit, p or blank pause, < and > or the arrows the
  // column that sorts, r the other way round, up and down and the pages' keys scroll.
  Pressed press(std::string_view keys);
};

// Lines without their ends. `answer` is the server's; an empty one: it has not said anything.
// `fault` is said in the first line, if there is any.
[[nodiscard]] std::vector<std::string> top_screen(std::string_view answer, TopView& view,
                                                  std::string_view fault = {});

// The whole table, for what is no terminal.
[[nodiscard]] std::string top_table(std::string_view answer);

}  // namespace steelyard::manage
