#pragma once

#include <optional>
#include <string>
#include <string_view>

// Threads: pure functions.

namespace steelyard {

// RFC 4648 5, without padding. Nothing when it is not that.
std::optional<std::string> decode_base64_url(std::string_view text);

}  // namespace steelyard
