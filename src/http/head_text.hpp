// A message head on its way out: lines are appended, the bytes lie in one piece.
//
// 1. clear() keeps the memory, so a steady stream of heads allocates nothing.
//
// Threads: one owner.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "http/field.hpp"

namespace steelyard::http {

class HeadText {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  void clear() noexcept { size_ = 0; }
  void release() noexcept {
    bytes_.reset();
    size_ = capacity_ = 0;
  }

  HeadText& append(std::string_view text) {
    make_room(text.size());
    put(text);
    return *this;
  }
  HeadText& append(std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return append({digits, static_cast<std::size_t>(end - digits)});
  }
  void append_field(std::string_view name, std::string_view value) {
    make_room(name.size() + value.size() + 4);
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  void append_field(const Field& row) {
    if (stands_in_one_piece(row)) {
      const std::size_t bytes = row.name.size() + 2 + row.value.size();
      make_room(bytes + 2);
      put({&row.name.front(), bytes});
      put("\r\n");
    } else {
      append_field(row.name, row.value);
    }
  }
  // Two elements of one list.
  void append_field(std::string_view name, std::string_view first, std::string_view second) {
    append(name).append(": ").append(first);
    if (!first.empty()) append(", ");
    append(second).append("\r\n");
  }
  void drop_tail(std::size_t bytes) { size_ -= bytes; }

 private:
  // As it was received and as it would be written: "name: value".
  static bool stands_in_one_piece(const Field& row) {
    const char* const end = row.name.data() + row.name.size();
    return !row.name.empty() && end + 2 == row.value.data() && end[0] == ':' && end[1] == ' ';
  }
  void put(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(bytes_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void make_room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
  }
  void grow(std::size_t bytes);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace steelyard::http
