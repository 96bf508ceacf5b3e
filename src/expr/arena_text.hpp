#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.hpp"

// A text that grows in an arena. What others take from the arena meanwhile is theirs; then what the
// text did not need is not given back.
//
// What would make it longer than `bytes_max` is left out whole, and it is `cut()`.
//
// Threads: one owner.

namespace steelyard::expr {

class ArenaText {
 public:
  ArenaText(Arena& arena, std::size_t expected_bytes, std::size_t bytes_max = SIZE_MAX)
      : arena_(arena),
        bytes_max_(bytes_max),
        room_bytes_(expected_bytes),
        begin_(arena.take(expected_bytes)) {}

  void append(std::string_view text) {
    if (text.size() > bytes_max_ - used_bytes_) {
      cut_ = true;
      return;
    }
    if (text.size() > room_bytes_ - used_bytes_) grow(text.size());
    std::ranges::copy(text, begin_ + used_bytes_);
    used_bytes_ += text.size();
  }
  void append(char c) { append(std::string_view(&c, 1)); }

  bool cut() const { return cut_; }
  std::string_view finish() {
    const bool is_last = arena_.take(0) == begin_ + room_bytes_;
    if (is_last) arena_.give_back(room_bytes_, used_bytes_);
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
  std::size_t bytes_max_;
  bool cut_ = false;
  std::size_t room_bytes_;
  std::size_t used_bytes_ = 0;
  char* begin_;
};

}  // namespace steelyard::expr
