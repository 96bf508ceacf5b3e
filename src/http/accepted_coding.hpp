// What a request says of the codings it takes (RFC 9110 12.5.3). Threads: pure.
#pragma once

#include <string_view>

namespace steelyard::http {

// One Accept-Encoding value names the coding, and not with q=0. "*" names none (httpd).
[[nodiscard]] bool accepts_coding(std::string_view value, std::string_view coding);

}  // namespace steelyard::http
