#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

// gzip streams (RFC 1952) that are made piece by piece.
//
// Threads: the shard's.

namespace steelyard::proxy {

// One of them, with the memory it takes: up to 400 KB, and so it is used again.
class Deflater {
 public:
  struct Manner {
    std::int8_t level, window_bits, memory_level;  // zlib's; level -1 is zlib's own choice
    bool operator==(const Manner&) const = default;
  };
  enum class Until : std::uint8_t { more, now, end };  // flush: not, all so far, and it is whole

  // Null: there is no memory.
  static std::unique_ptr<Deflater> make(const Manner& manner);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { ::deflateEnd(&stream_); }

  void begin() { ::deflateReset(&stream_); }  // another stream, from its beginning
  const Manner& manner() const { return manner_; }

  struct Step {
    std::size_t taken = 0;    // of `input`
    std::size_t written = 0;  // of `room`, which has not enough if it is all
    bool is_whole = false;
  };
  Step step(std::string_view input, std::span<char> room, Until until);

 private:
  explicit Deflater(const Manner& manner) : manner_(manner) {}

  Manner manner_;
  z_stream stream_{};
};

// Those of a shard.
class Deflaters {
 public:
  // At its beginning; null: there is no memory, or enough of it is lent.
  std::unique_ptr<Deflater> borrow(const Deflater::Manner& manner);
  void give_back(std::unique_ptr<Deflater> deflater);

 private:
  std::unique_ptr<Deflater> find(const Deflater::Manner& manner);

  std::vector<std::unique_ptr<Deflater>> spare_;
  std::size_t lent_ = 0;
};

}  // namespace steelyard::proxy
