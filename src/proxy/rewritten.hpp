#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

// What RewriteRules did to one exchange beyond changing its path, query and variables (which the
// exchange has anyway). Threads: the shard's.

namespace steelyard::proxy {

struct Rewritten {
  static constexpr int reroutes_max = 10;  // httpd: LimitInternalRecursion

  std::string_view text;      // what REQUEST_FILENAME is: a path or URL that rules made
  bool is_local = false;      // a path that no route shall see (httpd: a file)
  bool ended = false;         // [END]: sections' rules are not asked any more
  std::string_view handler;   // [H=]
  std::uint8_t reroutes = 0;  // how often a section's rule sent it elsewhere
  std::vector<std::shared_ptr<const void>> held;  // settings that views of before lie in
  std::vector<std::pair<std::string_view, std::string_view>> cookies;  // [CO=]: name, Set-Cookie

  void clear() { *this = {}; }
};

}  // namespace steelyard::proxy
