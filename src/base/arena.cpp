#include "base/arena.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace steelyard {

char* Arena::take_from_new_block(std::size_t bytes) {
  const std::size_t size = std::max(bytes, first_block_bytes_);
  if (blocks_.empty()) front_is_regular_ = size == first_block_bytes_;
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  char* block = blocks_.back().get();
  next_ = block + bytes;
  end_ = block + size;
  return block;
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* room = take(text.size());
  std::memcpy(room, text.data(), text.size());
  return {room, text.size()};
}

std::string_view Arena::decimal(std::uint64_t number) {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  return copy({digits, static_cast<std::size_t>(end - digits)});
}

std::string_view Arena::join_all(const std::string_view* parts, std::size_t count) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += parts[i].size();
  if (bytes == 0) return {};
  char* room = take(bytes);
  char* at = room;
  for (std::size_t i = 0; i < count; ++i) at = std::copy_n(parts[i].data(), parts[i].size(), at);
  return {room, bytes};
}

void Arena::reset() {
  if (blocks_.empty()) return;
  // Only a block of the regular size is kept: one huge request must not pin its memory.
  blocks_.resize(front_is_regular_ ? 1 : 0);
  next_ = blocks_.empty() ? nullptr : blocks_.front().get();
  end_ = blocks_.empty() ? nullptr : next_ + first_block_bytes_;
}

}  // namespace steelyard
