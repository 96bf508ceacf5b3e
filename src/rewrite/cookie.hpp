#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"

// [CO=name:value:domain[:minutes[:path[:secure[:httponly[:samesite]]]]]]. A ';' in front makes ';'
// the separator. Threads: pure.

namespace steelyard {
class Arena;
}

namespace steelyard::rewrite {

struct Cookie {
  std::string_view name, line;  // the value of a Set-Cookie field
};

// nullopt: name, value or domain is missing. What comes from the request is not checked for bytes
// that no field can hold.
std::optional<Cookie> make_cookie(std::string_view text, WallTime now, Arena& arena);

}  // namespace steelyard::rewrite
