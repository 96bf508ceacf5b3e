#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Bytes on disk that vanish with the object: a file without a name.
//
// Threads: one owner.

namespace steelyard::io {

class SpillFile {
 public:
  virtual ~SpillFile() = default;
  // False: the disk is full or broken; the file keeps what it had.
  virtual bool append(std::string_view bytes) = 0;
  // Bytes read from `offset`; 0 at the end or when reading fails.
  virtual std::size_t read(std::uint64_t offset, std::span<char> room) = 0;
};

}  // namespace steelyard::io
