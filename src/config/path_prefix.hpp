#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

// The prefix rule of ProxyPass and Redirect: whole path components, case-sensitive.

namespace steelyard::config {

// How much of `path` the pattern covers, nullopt when it does not match. A run of '/' in the
// pattern covers any run of at least one '/'. A pattern that does not end in '/' must end where a
// component of the path does.
std::optional<std::size_t> prefix_length(std::string_view pattern, std::string_view path);

}  // namespace steelyard::config
