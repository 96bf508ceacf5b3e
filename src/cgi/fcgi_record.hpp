// FastCGI 1.0 on the wire: what is sent (section 3 of its specification; one request, id 1).
//
//   version  type  id  id  content  content  padding  reserved   then content and padding
//
// Invariants: 1. no record has padding, so no byte leaves that nobody wrote.
//             2. a pair of name and value never spans two records: some servers (php-fpm) read each
//                record of PARAMS by itself.
// Threads: pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expr/facts.hpp"

namespace steelyard::cgi {

enum class RecordType : std::uint8_t {
  begin_request = 1,
  abort_request = 2,
  end_request = 3,
  params = 4,
  std_in = 5,
  std_out = 6,
  std_err = 7,
};
inline constexpr std::uint8_t fcgi_version = 1;
inline constexpr std::uint16_t fcgi_request_id = 1;
inline constexpr std::size_t fcgi_header_bytes = 8;
inline constexpr std::size_t fcgi_content_bytes_max = 65535;
// A record of PARAMS ends in front of the pair that would make it longer (httpd); a single pair may
// be.
inline constexpr std::size_t fcgi_params_bytes = 16384;

using FcgiHeader = std::array<char, fcgi_header_bytes>;
FcgiHeader fcgi_header(RecordType type, std::size_t content_bytes);

enum class Keep : std::uint8_t { close, keep };  // FCGI_KEEP_CONN

// BEGIN_REQUEST as a responder and all of PARAMS with its end. False, and nothing appended: a
// variable does not fit a record.
bool append_fcgi_head(std::string& out, const expr::Environment& variables, Keep keep);

}  // namespace steelyard::cgi
