#include "tls/client_hello.hpp"

#include <cstddef>

namespace steelyard::tls {

namespace {

constexpr std::uint8_t type_host_name = 0;
constexpr std::size_t name_bytes_max = 255;

// A length of two bytes in front of so much.
bool take_block(std::span<const std::uint8_t>& rest, std::span<const std::uint8_t>& block) {
  if (rest.size() < 2) return false;
  const std::size_t bytes = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
  if (rest.size() - 2 < bytes) return false;
  block = rest.subspan(2, bytes);
  rest = rest.subspan(2 + bytes);
  return true;
}

}  // namespace

std::string_view host_named_in(std::span<const std::uint8_t> extension) {
  std::span<const std::uint8_t> list;
  if (!take_block(extension, list) || !extension.empty()) return {};
  while (!list.empty()) {
    const std::uint8_t type = list[0];
    list = list.subspan(1);
    std::span<const std::uint8_t> name;
    if (!take_block(list, name)) return {};
    if (type != type_host_name) continue;
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    const bool is_name =
        !text.empty() && text.size() <= name_bytes_max && text.find('\0') == std::string_view::npos;
    return is_name ? text : std::string_view();
  }
  return {};
}

}  // namespace steelyard::tls
