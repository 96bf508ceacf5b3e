#pragma once

#include <string>
#include <string_view>

// Percent signs in FTP URLs, and what may stand in a command. Threads: pure.

namespace steelyard::ftp {

// %XX becomes its byte; a percent sign without two hexadecimal digits stays (httpd).
std::string decoded(std::string_view text);

// No control byte and none above 0x7e: it cannot end a command or begin a Telnet one.
bool is_one_argument(std::string_view word);

}  // namespace steelyard::ftp
