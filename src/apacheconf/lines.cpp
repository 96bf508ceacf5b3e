#include "apacheconf/lines.hpp"

#include "base/text.hpp"

namespace steelyard::apacheconf {

std::optional<Line> LineReader::next_raw() {
  if (rest_.empty()) return std::nullopt;
  Line line;
  bool joined = true;
  while (joined && !rest_.empty()) {
    const std::size_t end = rest_.find('\n');
    std::string_view piece = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    joined = false;
    if (const std::size_t nul = piece.find('\0'); nul != std::string_view::npos) {
      piece = piece.substr(0, nul);
    } else if (end != std::string_view::npos) {
      if (piece.ends_with('\r')) piece.remove_suffix(1);
      joined = piece.ends_with('\\');
      if (joined) piece.remove_suffix(1);
    }
    if (line.text.size() + piece.size() > line_bytes_max) line.too_long = true;
    if (!line.too_long) line.text.append(piece);
  }
  line.number = number_;
  const std::string_view trimmed = trim(line.text);
  line.text.assign(std::string(trimmed));
  return line;
}

std::optional<Line> LineReader::next() {
  while (std::optional<Line> line = next_raw()) {
    if (line->too_long || (!line->text.empty() && line->text.front() != '#')) return line;
  }
  return std::nullopt;
}

}  // namespace steelyard::apacheconf
