#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "expr/condition.hpp"

// The conditions that ProxyHCExpr names. hcexpr= refers to them by name, when a check is judged: a
// name that is given again means the later condition for all (httpd).
//
// Threads: immutable once the configuration is built.

namespace steelyard::config {

class HealthConditions {
 public:
  void set(std::string_view name, expr::Condition condition) {
    for (Named& known : all_) {
      if (!equals_ignoring_case(known.name, name)) continue;
      known.condition = std::move(condition);
      return;
    }
    all_.push_back({std::string(name), std::move(condition)});
  }
  // nullptr: there is none of that name, in whatever case.
  [[nodiscard]] const expr::Condition* find(std::string_view name) const {
    for (const Named& known : all_) {
      if (equals_ignoring_case(known.name, name)) return &known.condition;
    }
    return nullptr;
  }

  struct Named {
    std::string name;
    expr::Condition condition;
  };
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<Named> all_;
};

}  // namespace steelyard::config
