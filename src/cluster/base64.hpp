// Base64 (RFC 4648, 4), which etcd's JSON has keys and values in. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace steelyard::cluster {

[[nodiscard]] std::string base64(std::string_view bytes);
// Only what base64() makes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace steelyard::cluster
