#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/arena.hpp"

// mapping=servlet: paths compared as a servlet container sees them, where `/app;v=1/x` and
// `/app/y/..;z/x` lie below `/app` (httpd: ProxyPass mapping=servlet).

namespace steelyard::config {

struct ServletPath {
  std::string_view rest;  // what goes behind the target, still encoded, parameters kept
  std::string_view path;  // without parameters and dot segments: what sections see
};

inline constexpr std::size_t servlet_pattern_segments_max = 32;

// `path` is encoded and normalised. nullopt: not below the pattern, or it climbs above the root.
std::optional<ServletPath> match_servlet_path(std::string_view pattern, std::string_view path,
                                              Arena& arena);

}  // namespace steelyard::config
