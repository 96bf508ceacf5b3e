#include "io/frame_pool.hpp"

#include <array>
#include <cstdlib>
#include <new>

namespace steelyard::io {

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STEELYARD_FRAMES_ON_HEAP 1
#endif
#endif

#ifndef STEELYARD_FRAMES_ON_HEAP

constexpr std::size_t class_bytes = 64;
// Frames up to 16 KiB. The optimiser puts the frame of a coroutine that is awaited at once into its
// caller's: a request's outermost one measures 6 KiB.
constexpr std::size_t class_count = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct FreeLists {
  std::array<FreeFrame*, class_count + 1> heads{};
  ~FreeLists() {
    for (FreeFrame* frame : heads) {
      while (frame != nullptr) {
        FreeFrame* next = frame->next;
        ::operator delete(frame);
        frame = next;
      }
    }
  }
};

thread_local FreeLists lists;

constexpr std::size_t class_of(std::size_t bytes) {
  return (bytes + class_bytes - 1) / class_bytes;
}

#endif

}  // namespace

void* take_frame(std::size_t bytes) {
#ifdef STEELYARD_FRAMES_ON_HEAP
  // Not by operator new: a test counts what an exchange takes from there.
  void* const frame = std::malloc(bytes);
  if (frame == nullptr) throw std::bad_alloc();
  return frame;
#else
  const std::size_t index = class_of(bytes);
  if (index > class_count) return ::operator new(bytes);
  FreeFrame*& head = lists.heads[index];
  if (head == nullptr) return ::operator new(index * class_bytes);
  FreeFrame* frame = head;
  head = frame->next;
  return frame;
#endif
}

void give_back_frame(void* frame, std::size_t bytes) noexcept {
#ifdef STEELYARD_FRAMES_ON_HEAP
  static_cast<void>(bytes);
  std::free(frame);
#else
  const std::size_t index = class_of(bytes);
  if (index > class_count) {
    ::operator delete(frame);
    return;
  }
  auto* freed = static_cast<FreeFrame*>(frame);
  freed->next = lists.heads[index];
  lists.heads[index] = freed;
#endif
}

}  // namespace steelyard::io
