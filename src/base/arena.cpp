#include "base/arena.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace steelyard {

namespace {

constexpr std::size_t doublings_max = 4;
constexpr std::size_t front_shares = 1 << doublings_max;

void add_block(std::vector<std::unique_ptr<char[]>>& blocks, std::size_t bytes) {
  blocks.push_back(std::make_unique_for_overwrite<char[]>(bytes));
}

}  // namespace

// Blocks begin with a sixteenth of the regular size and double: most exchanges need little, and one
// that waits for hours (a tunnel) keeps what it took. After one that needed more, the front block
// is a regular one. Only later blocks are larger than that.
char* Arena::take_from_new_block(std::size_t bytes) {
  if (blocks_.empty()) {
    front_is_regular_ = false;
    const std::size_t front = first_block_bytes_ / front_shares;
    add_block(blocks_, front);
    next_ = blocks_.back().get();
    end_ = next_ + front;
    if (bytes <= front) return take(bytes);
  }
  const std::size_t doublings =
      front_is_regular_ ? doublings_max : std::min(blocks_.size(), doublings_max);
  const std::size_t size = std::max(bytes, first_block_bytes_ / front_shares << doublings);
  add_block(blocks_, size);
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
  if (blocks_.size() > 1 && !front_is_regular_) {
    blocks_.clear();
    add_block(blocks_, first_block_bytes_);
    front_is_regular_ = true;
  }
  blocks_.resize(1);
  next_ = blocks_.front().get();
  end_ = next_ + (front_is_regular_ ? first_block_bytes_ : first_block_bytes_ / front_shares);
}

}  // namespace steelyard
