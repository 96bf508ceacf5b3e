#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

// Bytes received and not yet used up:  [ used | data | room ].
//
// Invariants: 1. data() moves only in make_room(), compact() and release().
//             2. without memory (before the first make_room, after release) it holds nothing.

namespace steelyard::proxy {

class ReadBuffer {
 public:
  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::span<char> room() { return {bytes_.get() + end_, capacity_ - end_}; }
  std::size_t capacity() const { return capacity_; }

  void filled(std::size_t bytes) { end_ += bytes; }
  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room for at least one more byte: takes memory first, then doubles. False: `most` is reached.
  bool make_room(std::size_t first, std::size_t most) {
    if (end_ < capacity_) return true;
    if (capacity_ >= most) return false;
    const std::size_t bigger = capacity_ == 0 ? first : std::min(most, capacity_ * 2);
    auto bytes = std::make_unique_for_overwrite<char[]>(bigger);
    if (end_ != 0) std::memcpy(bytes.get(), bytes_.get(), end_);
    bytes_ = std::move(bytes);
    capacity_ = bigger;
    return true;
  }
  // Moves the data to the front; what was used up is room again.
  void compact() {
    if (begin_ == 0) return;
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  void append(std::string_view text) {
    if (text.empty()) return;
    compact();
    while (capacity_ - end_ < text.size()) grow(end_ + text.size());
    std::memcpy(bytes_.get() + end_, text.data(), text.size());
    end_ += text.size();
  }
  // Takes the first line end (LF, or CR LF) out of the data.
  void cut_first_line_end() {
    const std::size_t at = data().find('\n');
    if (at == std::string_view::npos) return;
    const std::size_t line = at > 0 && data()[at - 1] == '\r' ? at - 1 : at;
    const std::size_t cut = at + 1 - line;
    std::memmove(bytes_.get() + begin_ + cut, bytes_.get() + begin_, line);
    begin_ += cut;
  }
  void clear() { begin_ = end_ = 0; }
  void release() {
    clear();
    bytes_.reset();
    capacity_ = 0;
  }

 private:
  void grow(std::size_t needed) {
    const std::size_t bigger = std::max(needed, capacity_ * 2);
    auto bytes = std::make_unique_for_overwrite<char[]>(bigger);
    if (end_ != 0) std::memcpy(bytes.get(), bytes_.get(), end_);
    bytes_ = std::move(bytes);
    capacity_ = bigger;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace steelyard::proxy
