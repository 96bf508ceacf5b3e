// For tests: one raw text is fed to a reader in every way a network may deliver it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steelyard::http {

// Buffers of exactly the received size, each at another address, so that a sanitizer sees a look
// beyond the end and a view into an old buffer.
class MovingBuffer {
 public:
  std::string_view grow(std::string_view text) {
    std::vector<char> next(text.begin(), text.end());
    bytes_.swap(next);
    return {bytes_.data(), bytes_.size()};
  }

 private:
  std::vector<char> bytes_;
};

// The sizes of the prefixes a reader sees one after the other.
using Arrival = std::vector<std::size_t>;

inline std::vector<Arrival> all_arrivals(std::size_t size) {
  std::vector<Arrival> ways{{size}};
  Arrival bytes;
  for (std::size_t i = 1; i <= size; ++i) bytes.push_back(i);
  ways.push_back(bytes);
  for (std::size_t i = 1; i < size; ++i) ways.push_back({i, size});
  return ways;
}

// Long texts are not split at every point: whole, in two halves, and in pieces of a prime size.
inline std::vector<Arrival> some_arrivals(std::size_t size) {
  std::vector<Arrival> ways{{size}, {size / 2, size}};
  Arrival pieces;
  for (std::size_t i = 97; i < size; i += 97) pieces.push_back(i);
  pieces.push_back(size);
  ways.push_back(pieces);
  return ways;
}

inline std::vector<Arrival> arrivals(std::size_t size) {
  return size <= 600 ? all_arrivals(size) : some_arrivals(size);
}

}  // namespace steelyard::http
