#include "manage/printable.hpp"

#include <fmt/format.h>

namespace steelyard::manage {

std::string printable(std::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto code = static_cast<unsigned char>(text[i]);
    // The controls behind 0x7f are two bytes in UTF-8: C2 80 to C2 9F.
    const bool begins_two = code == 0xc2 && i + 1 < text.size();
    const auto next = begins_two ? static_cast<unsigned char>(text[i + 1]) : code;
    const bool is_late_control = begins_two && next < 0xa0;
    if (is_late_control) {
      code = next;
      ++i;
    }
    if (code < 0x20 || code == 0x7f || is_late_control) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += static_cast<char>(code);
    }
  }
  return shown;
}

}  // namespace steelyard::manage
