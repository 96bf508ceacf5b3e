#include "ftp/login.hpp"

#include <cstdint>

#include "base/text.hpp"
#include "ftp/argument.hpp"
#include "http/percent.hpp"

namespace steelyard::ftp {

namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// httpd reads up to the first character that is no digit of base64, whatever follows.
std::string from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = digits.find(c);
    if (value == digits.npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

// "Basic dXNlcjpwYXNz"; nothing when it is another scheme.
std::optional<std::string> read_basic(std::string_view authorization) {
  const std::size_t blank = authorization.find(' ');
  if (blank == authorization.npos || !equals_ignoring_case(authorization.substr(0, blank), "Basic"))
    return std::nullopt;
  return from_base64(trim(authorization.substr(blank)));
}

}  // namespace

std::optional<Login> choose_login(std::string_view authorization, std::string_view userinfo) {
  Login login;
  const auto basic = read_basic(authorization);
  if (basic && !basic->starts_with(':')) {
    // httpd looks at what percent signs would stand for as well.
    if (!is_one_argument(*basic) || !is_one_argument(http::percent_decoded(*basic)))
      return std::nullopt;
    const std::size_t colon = basic->find(':');
    login.user = basic->substr(0, colon);
    login.password = colon == basic->npos ? std::string() : basic->substr(colon + 1);
    login.is_clients = true;
    return login;
  }
  if (userinfo.empty()) return login;
  const std::size_t colon = userinfo.find(':');
  login.user = http::percent_decoded(userinfo.substr(0, colon));
  login.has_password = colon != userinfo.npos;
  login.password =
      login.has_password ? http::percent_decoded(userinfo.substr(colon + 1)) : std::string();
  if (!is_one_argument(login.user) || !is_one_argument(login.password)) return std::nullopt;
  return login;
}

}  // namespace steelyard::ftp
