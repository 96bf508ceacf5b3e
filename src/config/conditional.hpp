#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/path_settings.hpp"
#include "expr/condition.hpp"

// <If>, <ElseIf> and <Else>: settings that hold for the requests of which a condition is true. They
// count over everything that the sections around them say.
//
// Threads: Conditional is immutable, ConditionalWalk has one owner.

namespace steelyard::config {

struct Conditional {
  enum class Branch : std::uint8_t { first, further, otherwise } branch = Branch::first;
  std::optional<expr::Condition> condition;  // none for <Else>
  PathSettings settings;
  Place place;
};

// Asks the conditions for one exchange after another; keeps its room between them.
class ConditionalWalk {
 public:
  using Found = std::span<const Conditional* const>;

  // Those that hold, in the order in which they count: all of `outer` first, then all that stand
  // in those, and so on inwards (httpd). A condition that cannot be evaluated does not hold;
  // `remarks` then say why. The span lasts until the next call.
  Found walk(const PathSettings& outer, const expr::Facts& facts, Arena& arena,
             expr::Remarks& remarks);

 private:
  std::vector<const Conditional*> found_;
};

}  // namespace steelyard::config
