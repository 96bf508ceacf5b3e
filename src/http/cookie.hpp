// Attributes of Set-Cookie as ProxyPassReverseCookiePath and ...CookieDomain rewrite them.
// Threads: pure.
#pragma once

#include <span>
#include <string_view>

namespace steelyard {
class Arena;
}

namespace steelyard::http {

struct CookieMapping {
  std::string_view internal;  // what the backend says, compared as a prefix
  std::string_view external;  // replaces the whole attribute value
};

// httpd: the last path attribute (case-sensitive prefix) and the last domain attribute (prefix in
// any case) of the cookie are replaced by the first mapping that fits; the rest of the value is
// lost. Returns `value` itself when nothing fits, otherwise text in the arena.
[[nodiscard]] std::string_view rewrite_set_cookie(std::string_view value,
                                                  std::span<const CookieMapping> paths,
                                                  std::span<const CookieMapping> domains,
                                                  Arena& arena);

}  // namespace steelyard::http
