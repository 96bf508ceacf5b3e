#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

// The bounds of what members may say that no client gets.

namespace steelyard::proxy {

// An exchange that reads what nobody gets (STDERR, empty chunks, lines without an end, the body of
// an answer that has none) lets others have their turn after so many bytes: each of them costs more
// than one that is passed on, and there is no hurry.
inline constexpr std::size_t unwanted_bytes_a_turn = 64 * 1024;
// All that a member may say of this kind before its answer begins.
inline constexpr std::uint64_t preamble_bytes_max = 16 * 1024 * 1024;

// How long an exchange waits in all for lanes on connections that others make (HTTP/2), before it
// makes one of its own. The member's first frame comes a way there and back after the connection.
inline constexpr Duration settling_patience = std::chrono::seconds(1);
// A member that looked at none of so many in a row, with nothing else under way, is not asked again
// for this exchange; and of so many in all, however much it had to do.
inline constexpr int refusals_max = 1;
inline constexpr int refusals_beside_others_max = 10;

// What an FTP member may say before its answer: so many lines, within so many times the time that
// each of its replies has. A hundred directories and as many greetings fit.
inline constexpr std::size_t ftp_lines_max = 10000;
inline constexpr int ftp_timeouts_max = 5;

}  // namespace steelyard::proxy
