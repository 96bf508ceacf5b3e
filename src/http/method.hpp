// Request methods. Any token is a method and is forwarded (httpd: LenientMethods); these are the
// ones whose meaning the proxy uses. Methods are case-sensitive: `get` is Method::other.
#pragma once

#include <cstdint>
#include <string_view>

namespace steelyard::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  options,
  trace,
  connect,
  patch,
  other
};

[[nodiscard]] Method method_of(std::string_view name) noexcept;
// RFC 9110 9.2.2: a request that may be sent again when nothing of an answer came back.
[[nodiscard]] bool is_idempotent(Method method) noexcept;

}  // namespace steelyard::http
