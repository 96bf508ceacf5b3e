#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

// Who the process is: root until ports and log files are open, then User and Group for good.

namespace steelyard::server {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::string user_name;  // for the supplementary groups; empty when User is a bare number
};

// User and Group as written: names, or `#` with a number. An empty group is the user's own.
std::expected<Identity, std::string> find_identity(const std::string& user,
                                                   const std::string& group);

// All groups that `become` gives the process.
std::vector<gid_t> supplementary_groups(const Identity& identity);

bool running_as_root();

// Gives root up for `identity`. What stays is the capability to bind ports below 1024, because a
// reload may add a Listen line. Call it before the first thread starts.
std::expected<void, std::string> become(const Identity& identity);

// Gives up that last capability for the calling thread: shards never bind.
void give_up_capabilities();

// As many descriptors as the system lets us have; returns the limit now in force.
std::size_t raise_descriptor_limit();

}  // namespace steelyard::server
