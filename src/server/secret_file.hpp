#pragma once

#include <expected>
#include <optional>
#include <string>

#include "server/trusted_path.hpp"

// Small files that prove who we are or whom to believe: passwords, keys, certificates. Read once,
// at the start, with the rights of the start.
//
// Threads: any; waits for the disk.

namespace steelyard::server {

enum class Secrecy : std::uint8_t {
  open,    // a certificate: others may read it, and nobody else may write it
  secret,  // a key or password: others may not even read it
};

inline constexpr std::size_t secret_file_bytes_max = std::size_t{256} * 1024;

// The file belongs to root or to this process's user, and others may not do what `secrecy` forbids.
// Looks only, so a process that gave up the rights to read it can say so, too. The error is a
// sentence with the path and what to do.
std::expected<void, std::string> check_secret_file(const std::string& path, Secrecy secrecy);

// What it holds. `suspect`: for a process with root's rights, who must not be able to have a hand
// in where the path leads.
std::expected<std::string, std::string> read_secret_file(const std::string& path, Secrecy secrecy,
                                                         const std::optional<Suspect>& suspect);

}  // namespace steelyard::server
