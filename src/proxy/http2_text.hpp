#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Texts as nghttp2 has them. Threads: any.

namespace steelyard::proxy {

// The library's type for names and values; it only reads them.
inline std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

}  // namespace steelyard::proxy
