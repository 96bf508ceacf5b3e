#pragma once

#include <string>

// What the library has to say about a call that failed.
//
// Threads: the caller's own queue of errors.

namespace steelyard::tls {

// The reasons, oldest first, joined by ": "; the queue is empty then. Without one: `otherwise`.
std::string take_library_errors(const char* otherwise);

}  // namespace steelyard::tls
