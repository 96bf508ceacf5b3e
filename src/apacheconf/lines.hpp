#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Physical lines joined to logical ones. A backslash before the line end joins, before anything is
// known about comments: `# text \` swallows the next line too. Comments and empty lines are not
// given out, except to who asks for them (macro bodies count their lines).

namespace steelyard::apacheconf {

inline constexpr std::size_t line_bytes_max = std::size_t{16} << 20;  // httpd's limit

struct Line {
  std::string text;          // blanks around it gone; never empty; never a comment
  std::uint32_t number = 0;  // of its last physical line
  bool too_long = false;     // text is then cut
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  std::optional<Line> next();
  // The same, comments and empty lines included.
  std::optional<Line> next_raw();

 private:
  std::string_view rest_;
  std::uint32_t number_ = 0;
};

}  // namespace steelyard::apacheconf
