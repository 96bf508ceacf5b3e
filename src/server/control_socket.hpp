#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

#include "server/descriptor.hpp"

// The Unix socket by which scripts on this machine speak to the server (`steelyard ctl`).
//
// Invariants: 1. the file has mode 0600 from its first moment, and belongs to who made it.
//             2. nothing but a socket on which nobody listens is ever replaced or removed, and no
//                symbolic link is followed to one.
//             3. of two instances that start at once only one gets the path: what is looked at and
//                changed is done under a lock, which is that of a file beside it (PATH.lock, mode
//                0600: the directory's own could be held by whoever can open it). That file is
//                empty and stays: were it removed, two could hold locks of one name.
//             4. all of that happens in one and the same directory, whatever links lead to it at
//                which moment (where /proc is mounted).
//
// Threads: any.

namespace steelyard::server {

// Bound and listening, non-blocking. The error is ready for a log.
std::expected<Descriptor, std::string> open_control_socket(const std::string& path);

// Closed `socket` first: then nobody listens unless a successor does, whose socket stays.
void remove_control_socket(const std::string& path);

// Connected, blocking. The error says what to do.
std::expected<Descriptor, std::string> connect_to_control_socket(const std::string& path);

struct Peer {
  uid_t user = 0;
  pid_t process = 0;
};
// Who connected. The error is an errno.
std::expected<Peer, int> peer_of(int connected);

}  // namespace steelyard::server
