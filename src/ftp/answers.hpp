#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.hpp"

// What the texts of single replies say (Reply::text). Anything that is not exactly right says
// nothing. Threads: pure.

namespace steelyard::ftp {

// EPSV (RFC 2428 3): "... (|||6446|)" with any character for the bars.
std::optional<std::uint16_t> read_extended_passive(std::string_view text);

// PASV (RFC 959 4.1.2, RFC 1123 4.1.2.6): six numbers with commas, in parentheses or not.
std::optional<Endpoint> read_passive(std::string_view text);

// SIZE (RFC 3659 4): leading digits (httpd).
std::optional<std::uint64_t> read_size(std::string_view text);

// MDTM (RFC 3659 3): "20240229123456", perhaps with a fraction; GMT.
std::optional<std::chrono::sys_seconds> read_time(std::string_view text);

// PWD: the first word, or what stands in quotes, in which a backslash keeps the next character
// (httpd).
std::string read_directory(std::string_view text);

}  // namespace steelyard::ftp
