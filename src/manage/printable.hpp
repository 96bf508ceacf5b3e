// Text from elsewhere for a terminal.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace steelyard::manage {

// Names and answers of members come from elsewhere; what steers a terminal is shown as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace steelyard::manage
