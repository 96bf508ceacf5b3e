#include "apacheconf/addresses.hpp"

#include "base/ip.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

std::optional<HostPort> parse_host_port(std::string_view text) {
  HostPort result;
  std::size_t digits = text.size();
  while (digits > 0 && is_digit(text[digits - 1])) --digits;
  const bool only_digits = digits == 0;
  const bool has_colon = digits > 0 && text[digits - 1] == ':';
  if (only_digits || has_colon) {
    const std::optional<std::uint64_t> port = parse_unsigned(text.substr(digits));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    result.port = static_cast<std::uint16_t>(*port);
    text = only_digits ? std::string_view() : text.substr(0, digits - 1);
  }
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
    if (!IpAddress::parse(text)) return std::nullopt;
  }
  result.host = std::string(text);
  return result;
}

}  // namespace steelyard::apacheconf
