#pragma once

#include <string>
#include <string_view>

#include "proxy/log_sink.hpp"

// One line of the error log in httpd's layout:
//
//   [Fri Nov 20 15:57:28.985458 2026] [proxy:debug] [pid 1:tid 2] [client 1.2.3.4:5] text, referer:
//   URL
//
// Control characters in the text are escaped, so that a request cannot forge lines.

namespace steelyard::server {

// Appends the line with its newline. `tid` is the writing thread's.
void append_error_line(std::string& out, int tid, const proxy::ErrorLine& line);

}  // namespace steelyard::server
