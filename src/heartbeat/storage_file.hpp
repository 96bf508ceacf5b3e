// The text of a HeartbeatStorage file, which httpd reads and writes too:
//
//   10.0.0.5 &ready=75&busy=3&lastseen=1&port=80
//
// Reading takes any text: lines that are none, or say nothing, are passed over.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "heartbeat/servers.hpp"

namespace steelyard::heartbeat {

// Of a file only so much is read, and so many servers.
inline constexpr std::size_t storage_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t storage_servers_max = 4096;

// A later line of the same address changes what it names.
Servers read_storage(std::string_view text);

std::string write_storage(std::span<const Server> servers, Instant now);

// The text with the line of this address replaced, or added at its end. Other lines stay as they
// are.
std::string with_server(std::string_view text, const Server& server, Instant now);

}  // namespace steelyard::heartbeat
