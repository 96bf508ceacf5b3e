// The live page's files (src/manage/page), in the program. What they are is made by the build:
// page/build.mjs writes page_assets.cpp.
//
// Threads: constants.
#pragma once

#include <span>
#include <string_view>

namespace steelyard::manage {

struct PageAsset {
  std::string_view name;  // with a hash of what it holds: the same name is the same file for ever
  std::string_view type;
  std::string_view bytes;
};

// The page itself is the first.
[[nodiscard]] std::span<const PageAsset> page_assets();

}  // namespace steelyard::manage
