// Extensions about taking members out for what requests meet, and back in (docs/extensions.md): the
// parameters of a balancer. An empty optional: not written.
#pragma once

#include <chrono>
#include <optional>

namespace steelyard::balance {

// failcount=N/TIME: the error comes with the N-th failure within the time.
struct FailLimit {
  int failures = 1;  // 1..1000
  std::chrono::milliseconds within{0};
  friend bool operator==(const FailLimit&, const FailLimit&) = default;
};

// ejectslow=FACTOR/TIME: who takes FACTOR times as long as the others, judged every TIME.
struct SlowLimit {
  int factor_hundredths = 0;  // 150..10000
  std::chrono::milliseconds window{0};
  friend bool operator==(const SlowLimit&, const SlowLimit&) = default;
};

struct EjectionSpec {
  std::optional<FailLimit> fail_limit;
  std::optional<SlowLimit> slow_limit;
  std::optional<std::chrono::milliseconds> longest;  // ejectmax=
  std::optional<int> percent_max;                    // maxejected=
  std::optional<bool> trial;
  std::optional<int> active_min;  // minactive=

  // Members are ejected only while others are there to take their place.
  [[nodiscard]] bool is_sparing() const { return fail_limit || slow_limit; }
  [[nodiscard]] bool wants_trials() const { return trial.value_or(is_sparing()); }
  [[nodiscard]] std::chrono::milliseconds effective_longest() const {
    return longest.value_or(std::chrono::minutes(5));
  }
  [[nodiscard]] int effective_percent_max() const { return percent_max.value_or(50); }

  friend bool operator==(const EjectionSpec&, const EjectionSpec&) = default;
};

}  // namespace steelyard::balance
