#pragma once

#include <nghttp2/nghttp2.h>

#include <span>
#include <string_view>
#include <vector>

// A head of ours in HTTP/1's format, as the fields that HTTP/2 sends (RFC 9113 8.3.2). The rows
// show its texts; the library copies them, since a frame may wait longer than its stream lives.
//
//   "HTTP/1.1 200 OK" CR LF "Date: ..." CR LF ... CR LF   ─▶   :status 200, date ..., ...
//
// Invariants: 1. no field of the connection is among them.
// Threads: a value's owner.

namespace steelyard::proxy {

class Http2Fields {
 public:
  // Names become lower-case in place. `head` is what write_reply_head() and its like made.
  void read_head(std::span<char> head);
  // The same without a status line.
  void read_trailers(std::span<char> fields);

  const std::vector<nghttp2_nv>& rows() const { return rows_; }
  // The status of a head that is no more than looked at.
  static int status_of(std::string_view head);
  // Three digits in its place.
  static void set_status(std::span<char> head, std::string_view status);

 private:
  void add_lines(std::span<char> lines);
  void add(std::string_view name, std::string_view value);

  std::vector<nghttp2_nv> rows_;
};

}  // namespace steelyard::proxy
