#include "tests/support/counting_heap.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t takes = 0;
// One thread may give back what another one took: sums wrap, differences are right.
thread_local std::size_t bytes_held = 0;

std::size_t size_of(void* room) { return ::malloc_usable_size(room) + sizeof(std::size_t); }

void* take_from_heap(std::size_t bytes) {
  ++takes;
  void* const room = std::malloc(bytes == 0 ? 1 : bytes);
  if (room == nullptr) std::abort();
  bytes_held += size_of(room);
  return room;
}

void give_back(void* room) {
  if (room != nullptr) bytes_held -= size_of(room);
  std::free(room);
}

}  // namespace

void* operator new(std::size_t bytes) { return take_from_heap(bytes); }
void* operator new[](std::size_t bytes) { return take_from_heap(bytes); }
void operator delete(void* room) noexcept { give_back(room); }
void operator delete[](void* room) noexcept { give_back(room); }
void operator delete(void* room, std::size_t /*bytes*/) noexcept { give_back(room); }
void operator delete[](void* room, std::size_t /*bytes*/) noexcept { give_back(room); }

namespace steelyard {

std::size_t heap_takes() { return takes; }
std::size_t heap_bytes_held() { return bytes_held; }

}  // namespace steelyard
