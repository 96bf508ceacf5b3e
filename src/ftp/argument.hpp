#pragma once

#include <algorithm>
#include <string_view>

// What may stand in a command. Threads: pure.

namespace steelyard::ftp {

// No control byte and none above 0x7e: it cannot end a command or begin a Telnet one.
inline bool is_one_argument(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= ' ' && c < 0x7f; });
}

}  // namespace steelyard::ftp
