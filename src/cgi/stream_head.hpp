// The heads of the two protocols whose request is a block of variables and then the raw body.
//
//   SCGI    "70:" "CONTENT_LENGTH" 0 "27" 0 "SCGI" 0 "1" 0 name 0 value 0 ... ","
//   uwsgi   0 size size 0   then name and value, each behind its length in two bytes, low one first
//
// Threads: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "expr/facts.hpp"

namespace steelyard::cgi {

inline constexpr std::size_t uwsgi_packet_bytes_max = 65535;

// False, and nothing appended: a name or a value holds a NUL.
bool append_scgi_head(std::string& out, const expr::Environment& variables,
                      std::uint64_t body_bytes);
// False, and nothing appended: together they do not fit a packet (CVE-2020-11984).
bool append_uwsgi_head(std::string& out, const expr::Environment& variables);

}  // namespace steelyard::cgi
