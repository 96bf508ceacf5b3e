// What every fuzz target defines, and how its input arrives in pieces.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace steelyard {

// Must return for every input; a broken claim ends the process by CHECK.
void fuzz_one(std::string_view input);

// Prefixes of the input, each in memory of exactly its size, so that a sanitizer sees a look beyond
// its end and a view into memory that is gone.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  // The prefix of that size; the one before is freed.
  std::string_view prefix(std::size_t size) {
    std::vector<char> next(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(size));
    held_.swap(next);
    return {held_.data(), held_.size()};
  }

 private:
  std::string_view text_;
  std::vector<char> held_;
};

}  // namespace steelyard
