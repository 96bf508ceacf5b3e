#pragma once

#include <string>
#include <string_view>

// Percent signs where they are nothing but escapes; paths of requests: path.hpp. Threads: pure.

namespace steelyard::http {

// %XX becomes its byte; a percent sign without two hexadecimal digits stays (httpd).
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace steelyard::http
