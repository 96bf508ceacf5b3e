#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "server/trusted_path.hpp"

// The file that tells scripts and `-k` which process to signal. Written once the server listens,
// and again at a reload that does not find it (httpd: at every one).

namespace steelyard::server {

struct PidRecord {
  pid_t pid = 0;
  bool running = false;  // a process with that number exists, and it is not this one
};

// nullopt: there is no such file, or it is empty. The error: it cannot be read or holds no process
// number.
std::expected<std::optional<PidRecord>, std::string> read_pid_file(const std::string& path);

// Replaces the file in one step.
std::expected<void, std::string> write_pid_file(const std::string& path, pid_t pid);

// The same with root's rights, for a server that `suspect` runs; the error is an errno, EACCES
// where the suspect could have a hand in where the path leads.
std::expected<void, int> write_trusted_pid_file(const std::string& path, pid_t pid,
                                                const Suspect& suspect);

// Removes the file if it still names `pid`.
void remove_pid_file(const std::string& path, pid_t pid);

}  // namespace steelyard::server
