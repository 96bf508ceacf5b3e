#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/arena.hpp"

// A text that grows in an arena. Nothing else may take from the arena until finish().
//
// Threads: one owner.

namespace steelyard::expr {

class ArenaText {
 public:
  ArenaText(Arena& arena, std::size_t expected_bytes)
      : arena_(arena), room_bytes_(expected_bytes), begin_(arena.take(expected_bytes)) {}

  void append(std::string_view text) {
    if (text.size() > room_bytes_ - used_bytes_) grow(text.size());
    std::ranges::copy(text, begin_ + used_bytes_);
    used_bytes_ += text.size();
  }
  void append(char c) { append(std::string_view(&c, 1)); }

  std::string_view finish() {
    arena_.give_back(room_bytes_, used_bytes_);
    return {begin_, used_bytes_};
  }

 private:
  void grow(std::size_t more_bytes) {
    const std::string_view old(begin_, used_bytes_);
    room_bytes_ = 2 * room_bytes_ + more_bytes;
    begin_ = arena_.take(room_bytes_);
    std::ranges::copy(old, begin_);
  }

  Arena& arena_;
  std::size_t room_bytes_;
  std::size_t used_bytes_ = 0;
  char* begin_;
};

}  // namespace steelyard::expr
