#include "balance/shown_url.hpp"

#include <algorithm>

namespace steelyard::balance {

std::string without_password(std::string_view url) {
  std::string shown(url);
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == url.npos) return shown;
  const std::size_t begin = scheme_end + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  const std::size_t colon = url.find(':', begin);
  if (at == url.npos || at < begin || colon >= at) return shown;
  return shown.erase(colon, at - colon);
}

}  // namespace steelyard::balance
