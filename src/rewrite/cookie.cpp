#include "rewrite/cookie.hpp"

#include <array>
#include <chrono>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/date.hpp"

namespace steelyard::rewrite {

namespace {

constexpr std::int64_t minutes_max = std::int64_t{60} * 24 * 366 * 100;

bool is_secure(std::string_view text) {
  return text == "1" || equals_ignoring_case(text, "true") || equals_ignoring_case(text, "secure");
}

// httpd does not take "1" here.
bool is_http_only(std::string_view text) {
  return equals_ignoring_case(text, "true") || equals_ignoring_case(text, "HttpOnly");
}

// httpd: "Sun, 29-Nov-2026 12:27:47 GMT", the form of old.
std::string_view expiry(WallTime now, std::int64_t minutes, Arena& arena) {
  const auto then = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::minutes(minutes);
  http::DateText date;
  const std::string_view text = date.at(then);
  return arena.join(text.substr(0, 7), "-", text.substr(8, 3), "-", text.substr(12));
}

}  // namespace

std::optional<Cookie> make_cookie(std::string_view text, WallTime now, Arena& arena) {
  char separator = ':';
  if (text.starts_with(';')) {
    separator = ';';
    text.remove_prefix(1);
  }
  // Empty ones do not count (httpd).
  std::array<std::string_view, 8> words;
  std::size_t count = 0;
  while (!text.empty() && count < words.size()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) words[count++] = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto& [name, value, domain, minutes, path, secure, http_only, same_site] = words;
  if (domain.empty()) return std::nullopt;
  const std::int64_t lasting = std::clamp(parse_lax(minutes), -minutes_max, minutes_max);
  const bool limits_site =
      !same_site.empty() && same_site != "0" && !equals_ignoring_case(same_site, "false");
  const std::string_view line =
      arena.join(name, "=", value, "; path=", path.empty() ? std::string_view("/") : path,
                 "; domain=", domain, lasting == 0 ? "" : "; expires=",
                 lasting == 0 ? std::string_view() : expiry(now, lasting, arena),
                 is_secure(secure) ? "; secure" : "", is_http_only(http_only) ? "; HttpOnly" : "",
                 limits_site ? "; SameSite=" : "", limits_site ? same_site : std::string_view());
  return Cookie{name, line};
}

}  // namespace steelyard::rewrite
