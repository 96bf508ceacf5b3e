// Base64 (RFC 4648, 4), with padding. Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace steelyard {

[[nodiscard]] std::string base64(std::string_view bytes);
// Only what base64() makes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace steelyard
