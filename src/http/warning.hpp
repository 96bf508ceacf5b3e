// The Warning field (RFC 2616 14.46): 110 proxy "response is stale" "Sun, 06 Nov 1994 08:49:37 GMT"
//
// Threads: pure.
#pragma once

#include <optional>
#include <string_view>

namespace steelyard::http {

struct Warning {
  std::string_view text;  // all of it
  std::string_view date;  // what the second pair of quotes holds; empty without one
};

// The first warning in `rest`, which then begins behind it; nullopt when there is none. What stands
// between warnings is skipped, whatever it is (httpd).
[[nodiscard]] std::optional<Warning> take_warning(std::string_view& rest) noexcept;

}  // namespace steelyard::http
