// A seal over the columns of a row, kept in the row: a page that rotted on the disk is noticed and
// never believed. It keeps nobody from writing rows of his own.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/sip_hash.hpp"

namespace steelyard::journal {

class Seal {
 public:
  Seal& over(std::int64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
      bytes_ += static_cast<char>((static_cast<std::uint64_t>(number) >> shift) & 0xff);
    return *this;
  }
  Seal& over(std::string_view text) {
    over(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] std::int64_t value() const {
    // Any key will do, and it is part of the format.
    constexpr SipKey key{0x737465656c796172, 0x64206a6f75726e61};
    return static_cast<std::int64_t>(sip_hash(key, bytes_));
  }

 private:
  std::string bytes_;
};

}  // namespace steelyard::journal
