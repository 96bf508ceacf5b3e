#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "expr/entry_text.hpp"
#include "expr/facts.hpp"
#include "expr/timeline_field.hpp"

// The format of an access log line (LogFormat, CustomLog, TransferLog), compiled once.
//
// 1. write() appends and never reads what is in the line; a line whose capacity is kept costs no
//    allocation.
// 2. Everything that came from outside is escaped, so an entry is always one line.
//
// Threads: immutable. write() keeps the local time of the last seconds in thread_local storage.

namespace steelyard::expr {

// httpd's format when nothing was said: TransferLog without a LogFormat.
inline constexpr std::string_view common_log_format = R"(%h %l %u %t "%r" %>s %b)";

struct LogItem {
  enum class Kind : std::uint8_t {
    literal,
    client_host,
    client_ip,
    peer_ip,
    local_ip,
    body_bytes,
    body_bytes_or_dash,
    cookie,
    duration,
    environment,
    filename,
    protocol,
    method,
    path,
    query,
    request_header,
    response_header,
    request_trailer,
    response_trailer,
    bytes_received,
    bytes_sent,
    bytes_both,
    first_byte,
    keepalive_count,
    absent,  // %l: nobody is identified here
    user,
    log_id,
    connection_log_id,
    note,
    port,
    process,
    request_line,
    handler,
    status,
    time,
    server_name,
    canonical_name,
    connection_end,
    timeline,  // %{...}^sy, ours
    tls,       // %x %c: mod_ssl's variables
  };
  // What a kind with a choice prints: %{ms}T, %{local}p, %{hextid}P, %{end:usec}t.
  enum class Unit : std::uint8_t {
    usual,
    text,  // an unknown choice prints itself
    seconds,
    milliseconds,
    microseconds,
    milliseconds_fraction,
    microseconds_fraction,
    calendar,  // strftime
    local,
    remote,
    thread,
    thread_hex,
  };

  Kind kind = Kind::literal;
  Unit unit = Unit::usual;
  bool original = false;  // `<`, or the kind's own habit
  bool at_end = false;    // time of the end of the request
  bool unless = false;    // `!`: printed except for these statuses
  std::vector<int> statuses;
  std::string argument;  // literal text, name, strftime format
  TimelineChoice timeline{};
};

class LogFormat {
 public:
  // An empty format: writes nothing.
  LogFormat() = default;
  static std::expected<LogFormat, Complaint> compile(std::string_view format);

  // Appends one entry without its line end.
  void write(const Facts& facts, std::string& line) const;
  void write(const Facts& facts, EntryText& line) const;

  const std::string& text() const { return text_; }  // as written
  bool names_tls() const;
  bool asks_timeline() const;  // the data path has to keep one
  const std::vector<LogItem>& items() const { return items_; }

 private:
  std::string text_;
  std::vector<LogItem> items_;
};

}  // namespace steelyard::expr
