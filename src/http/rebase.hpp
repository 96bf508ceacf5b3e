// Views follow a receive buffer that was re-allocated while a head was still arriving.
// Threads: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steelyard::http {

// Moves views that begin within the first `bytes` of the old buffer; others stay where they are.
struct Rebase {
  std::uintptr_t from = 0;  // the old address as a number: its memory may be gone
  std::size_t bytes = 0;
  const char* to = nullptr;

  void operator()(std::string_view& view) const noexcept {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(view.data()) - from;
    if (view.data() != nullptr && offset <= bytes) view = {to + offset, view.size()};
  }
};

}  // namespace steelyard::http
