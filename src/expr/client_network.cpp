#include "expr/client_network.hpp"

#include <algorithm>

namespace steelyard::expr {

bool looks_like_address(std::string_view word) {
  const std::string_view address = word.substr(0, word.find('/'));
  return address.contains(':') ||
         address.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::expected<IpNetwork, std::string> parse_client_network(std::string_view word) {
  const std::string_view address = word.substr(0, word.find('/'));
  const bool has_mask = address.size() < word.size();
  if (has_mask && !address.contains(':') && std::ranges::count(address, '.') < 3) {
    return std::unexpected("The specified IP address is invalid.");
  }
  return IpNetwork::parse(word);
}

}  // namespace steelyard::expr
