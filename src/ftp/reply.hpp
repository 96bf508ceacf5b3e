#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Replies on an FTP control connection (RFC 959 4.2), as they come in pieces.
//
//   220 ready                 one line
//   230-Welcome,              several: up to a line of the same digits with a blank behind them
//    dear guest
//   230 you are in
//
// Invariants: 1. the text holds no control byte and no more than the kept part of a few lines.
//             2. what is not three digits with a blank or hyphen behind them has code 0.
//             3. no reply is longer than reply_bytes_max, however it is written.
// Threads: one owner, one connection.

namespace steelyard::ftp {

inline constexpr std::size_t reply_bytes_max = 256 * 1024;
// httpd looks at so much of a line, its code and line end included.
inline constexpr std::size_t reply_line_bytes_max = 79;
inline constexpr std::size_t reply_text_bytes_max = 8191;  // httpd's

class ReplyReader {
 public:
  enum class Progress : std::uint8_t { incomplete, complete, too_long };

  // Takes what belongs to the reply from the front of `data`. What follows a complete one stays.
  Progress read(std::string_view& data);
  // Of the complete reply. The text is what httpd tells of one: from behind the code to the first
  // line end that lies within the kept part of its line.
  int code() const { return code_; }
  const std::string& text() const { return text_; }
  // Ready for the next reply.
  void reset() { *this = ReplyReader(); }

 private:
  bool end_line();
  void keep_text(std::string_view text);

  std::string line_;  // the kept part of the line that is being received
  std::string text_;
  std::size_t bytes_ = 0;
  int code_ = 0;
  bool has_first_ = false;  // the first line was read
  bool has_text_ = false;   // nothing more of the text is told
  std::string last_line_;   // how the last one of several begins
};

}  // namespace steelyard::ftp
