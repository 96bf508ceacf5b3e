#pragma once

#include <cstddef>

// Memory for coroutine frames: a free list a thread and size class, so that starting a coroutine
// in steady state costs a pointer move instead of an allocation.
//
// Invariants: 1. a frame is given back on the thread that took it (one shard, one thread).
//             2. sanitizer builds use the ordinary heap, so that a dead frame is noticed.

namespace steelyard::io {

void* take_frame(std::size_t bytes);
void give_back_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace steelyard::io
