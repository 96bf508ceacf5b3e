#include "tests/support/counting_heap.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t takes = 0;

void* take_from_heap(std::size_t bytes) {
  ++takes;
  void* const room = std::malloc(bytes == 0 ? 1 : bytes);
  if (room == nullptr) std::abort();
  return room;
}

}  // namespace

void* operator new(std::size_t bytes) { return take_from_heap(bytes); }
void* operator new[](std::size_t bytes) { return take_from_heap(bytes); }
void operator delete(void* room) noexcept { std::free(room); }
void operator delete[](void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t /*bytes*/) noexcept { std::free(room); }
void operator delete[](void* room, std::size_t /*bytes*/) noexcept { std::free(room); }

namespace steelyard {

std::size_t heap_takes() { return takes; }

}  // namespace steelyard
