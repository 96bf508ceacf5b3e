#pragma once

#include <string>
#include <vector>

#include "base/ip.hpp"

// Names in a configuration, resolved by the system while it is read. It waits for the answer.
//
// Threads: the main thread.

namespace steelyard::server {

// The addresses of a name, in the system's order, each once; empty: there are none.
std::vector<IpAddress> addresses_of(const std::string& name);

// This machine's full name as httpd finds it for a server without ServerName: the host's name if it
// has a dot, else what it resolves to, else its address. Empty: nothing is known.
std::string full_host_name();

}  // namespace steelyard::server
