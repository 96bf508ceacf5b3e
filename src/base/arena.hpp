#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

// Scratch memory of one exchange: texts that must live until the exchange ends and no longer
// (merged field values, rewritten paths, error pages). Memory is taken by moving a pointer and
// given back all at once; the first block is kept, so a steady stream of exchanges allocates
// nothing.
//
// Invariants: 1. a view handed out stays valid until reset() or destruction.
// Threads: one at a time.

namespace steelyard {

class Arena {
 public:
  explicit Arena(std::size_t first_block_bytes = 4096) : first_block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised room, aligned for characters only.
  char* take(std::size_t bytes) {
    if (bytes <= static_cast<std::size_t>(end_ - next_)) {
      char* room = next_;
      next_ += bytes;
      return room;
    }
    return take_from_new_block(bytes);
  }

  std::string_view copy(std::string_view text);

  std::string_view decimal(std::uint64_t number);

  template <class... Parts>
  std::string_view join(Parts... parts) {
    const std::string_view views[] = {std::string_view(parts)...};
    return join_all(views, sizeof...(parts));
  }

  // Gives back the unused tail of the latest take(): `used` of `taken` bytes are kept.
  void give_back(std::size_t taken, std::size_t used) { next_ -= taken - used; }

  void reset();

 private:
  char* take_from_new_block(std::size_t bytes);
  std::string_view join_all(const std::string_view* parts, std::size_t count);

  std::size_t first_block_bytes_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  bool front_is_regular_ = true;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace steelyard
