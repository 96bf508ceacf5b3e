#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Texts and numbers as they stand in a log line. Threads: pure.

namespace steelyard::expr {

// httpd's escapes for what came from outside: \" \\ \b \n \r \t \v, \xhh for other controls and
// for bytes from 0x7f up.
void append_escaped(std::string_view text, std::string& line);

void append_number(std::int64_t number, std::string& line);
// At least `digits` digits, zeros in front. `number` is not negative.
void append_padded(std::int64_t number, std::size_t digits, std::string& line);
void append_hex(std::uint64_t number, std::string& line);

}  // namespace steelyard::expr
