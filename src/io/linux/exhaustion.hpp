#pragma once

#include <cerrno>

// Which failures of the system mean that this process or machine has run out of something. They say
// nothing about the peer.

namespace steelyard::io {

inline bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace steelyard::io
