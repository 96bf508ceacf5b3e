#include "http/host_memo.hpp"

#include <algorithm>

namespace steelyard::http {

std::optional<HostPort> HostMemo::split(std::string_view text) noexcept {
  if (text_bytes_ != 0 && text == std::string_view(text_.data(), text_bytes_))
    return HostPort{text.substr(0, host_bytes_), port_};
  const auto parts = split_host(text);
  text_bytes_ = 0;
  if (!parts || text.size() > text_bytes_max) return parts;
  std::ranges::copy(text, text_.begin());
  text_bytes_ = static_cast<std::uint8_t>(text.size());
  host_bytes_ = static_cast<std::uint8_t>(parts->host.size());
  port_ = parts->port;
  return parts;
}

}  // namespace steelyard::http
