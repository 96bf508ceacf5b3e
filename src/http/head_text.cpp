#include "http/head_text.hpp"

namespace steelyard::http {

void HeadText::grow(std::size_t bytes) {
  constexpr std::size_t first = 1024;
  const std::size_t bigger = std::max({first, capacity_ * 2, size_ + bytes});
  auto room = std::make_unique_for_overwrite<char[]>(bigger);
  if (size_ != 0) std::memcpy(room.get(), bytes_.get(), size_);
  bytes_ = std::move(room);
  capacity_ = bigger;
}

}  // namespace steelyard::http
