#pragma once

#include <string>
#include <string_view>

#include "io/stream.hpp"

// How a connection to a member ended before it should, in words for the log.

namespace steelyard::proxy {

// httpd's words when a peer's time is up; the number is its own.
inline constexpr std::string_view time_is_up = "(70007)The timeout specified has expired";

inline constexpr std::string_view closed_before = "it closed the connection before an answer came";
inline constexpr std::string_view closed_within =
    "it closed the connection within the head of its answer";
inline constexpr std::string_view closed_midway = "it closed the connection";

// A connection that broke has the system's number and word, as "(104)Connection reset by peer";
// of one that was closed the caller knows what that means. Empty when it did neither.
std::string ending_words(const io::IoResult& ending, std::string_view when_closed);

}  // namespace steelyard::proxy
