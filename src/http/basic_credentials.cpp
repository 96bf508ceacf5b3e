#include "http/basic_credentials.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace steelyard::http {

std::optional<Credentials> read_basic_credentials(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (!equals_ignoring_case(value.substr(0, blank), "Basic")) return std::nullopt;
  std::string_view digits = blank == value.npos ? std::string_view() : value.substr(blank + 1);
  while (digits.starts_with(' ') || digits.starts_with('\t')) digits.remove_prefix(1);
  std::string text = from_loose_base64(digits);
  // httpd: a text ends at its first null byte.
  text.resize(std::min(text.size(), text.find('\0')));
  Credentials credentials;
  const std::size_t colon = text.find(':');
  credentials.user = text.substr(0, colon);
  if (colon != text.npos) credentials.password = text.substr(colon + 1);
  return credentials;
}

std::string write_basic_credentials(std::string_view user, std::string_view password) {
  std::string text(user);
  text.append(":").append(password);
  return "Basic " + base64(text);
}

}  // namespace steelyard::http
