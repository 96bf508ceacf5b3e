// Status codes as httpd words them. Threads: pure functions.
#pragma once

#include <string_view>

namespace steelyard::http {

// "Service Unavailable" for 503; empty for a code that httpd has no words for.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;
// httpd: after 400 408 411 413 414 500 501 503 the client connection always closes.
[[nodiscard]] bool closes_connection(int status) noexcept;
[[nodiscard]] constexpr bool is_interim(int status) noexcept {
  return status >= 100 && status < 200;
}
[[nodiscard]] constexpr bool is_success(int status) noexcept {
  return status >= 200 && status < 300;
}
// RFC 9110 6.4.1: 1xx, 204 and 304 never have a body, whatever their fields say.
[[nodiscard]] constexpr bool has_no_body(int status) noexcept {
  return is_interim(status) || status == 204 || status == 304;
}

}  // namespace steelyard::http
