#include "ftp/reply.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace steelyard::ftp {

namespace {

constexpr std::size_t code_bytes = 4;  // three digits and what says whether lines follow

bool has_code(std::string_view line) {
  return line.size() >= code_bytes && std::ranges::all_of(line.substr(0, 3), is_digit) &&
         (line[3] == ' ' || line[3] == '-');
}

}  // namespace

ReplyReader::Progress ReplyReader::read(std::string_view& data) {
  while (!data.empty()) {
    const std::size_t end = data.find('\n');
    const std::string_view piece = data.substr(0, end == data.npos ? end : end + 1);
    bytes_ += piece.size();
    if (bytes_ > reply_bytes_max) return Progress::too_long;
    line_.append(piece.substr(0, reply_line_bytes_max - line_.size()));
    data.remove_prefix(piece.size());
    if (end != data.npos && end_line()) return Progress::complete;
  }
  return Progress::incomplete;
}

// True: it was the reply's last one.
bool ReplyReader::end_line() {
  const std::string line = std::move(line_);
  line_.clear();
  // httpd: a further line that begins with a blank has no code.
  const std::size_t skipped = has_first_ && line.front() == ' ' ? 1 : code_bytes;
  keep_text(std::string_view(line).substr(std::min(line.size(), skipped)));
  if (std::exchange(has_first_, true)) return line.starts_with(last_line_);
  if (!has_code(line)) return true;
  code_ = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  last_line_.assign(line, 0, 3).append(" ");
  return line[3] == ' ';
}

// A line that was cut has no end: then the next one's text goes on (httpd).
void ReplyReader::keep_text(std::string_view text) {
  for (const char c : text) {
    has_text_ = has_text_ || c == '\r' || c == '\n';
    if (has_text_ || text_.size() >= reply_text_bytes_max) return;
    const auto byte = static_cast<unsigned char>(c);
    text_ += byte < ' ' || byte == 0x7f ? '?' : c;
  }
}

}  // namespace steelyard::ftp
