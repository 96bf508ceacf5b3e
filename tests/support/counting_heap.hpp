#pragma once

#include <cstddef>

// For test programs that count what they take from the heap: a program that links counting_heap
// has a counting operator new.

namespace steelyard {

// How often this thread has taken memory since it began.
std::size_t heap_takes();
// What this thread has taken and not given back, as the allocator keeps it: rounded up and with its
// own word in front.
std::size_t heap_bytes_held();

}  // namespace steelyard
