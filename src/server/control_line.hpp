#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "manage/ctl_words.hpp"
#include "server/descriptor.hpp"

// The other end of the control socket: `steelyard ctl` and `steelyard top` ask, the server answers.

namespace steelyard::server {

// As the words say, or else the configuration.
std::expected<std::string, std::string> path_of_socket(const manage::CtlWords& words);

// For each piece, in either direction; 0: for ever.
void limit_time(const Descriptor& line, std::chrono::seconds most);

// False: nobody takes it.
bool send_line(const Descriptor& line, std::string text);
// To the standard output, all of it; else why not: a full disk, a closed pipe.
std::expected<void, std::string> print_answer(std::string_view text);

// Without its end. The server answers one line at a time, so nothing follows it.
std::expected<std::string, std::string> receive_line(const Descriptor& line);

}  // namespace steelyard::server
