// repeaton=: after what else an idempotent request is asked of another member, though the one that
// failed may have acted on it already. Off without it (httpd).
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace steelyard::balance {

inline constexpr int repeated_status_min = 400;
inline constexpr int repeated_status_max = 599;

struct RepeatSpec {
  bool after_error = false;    // the connection broke before an answer, or what came is none
  bool after_timeout = false;  // no answer within timeout=
  std::vector<int> statuses;   // of answers: 400 to 599

  [[nodiscard]] bool any() const { return after_error || after_timeout || !statuses.empty(); }
  [[nodiscard]] bool has(int status) const {
    return std::ranges::find(statuses, status) != statuses.end();
  }
  friend bool operator==(const RepeatSpec&, const RepeatSpec&) = default;
};

// As it is written: "error,timeout,503" or "Off".
std::string text_of(const RepeatSpec& repeat);

}  // namespace steelyard::balance
