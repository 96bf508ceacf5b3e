#pragma once

#include <string_view>

// A request and its answer, for whom it does not matter which. For tests only.

namespace steelyard::proxy {

inline constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
inline constexpr std::string_view simple_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

}  // namespace steelyard::proxy
