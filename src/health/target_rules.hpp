#pragma once

#include <memory>
#include <string>

#include "health/check.hpp"
#include "proxy/generation.hpp"

namespace steelyard::health {

// What the generation says about the checks of one member; immutable, shared with the check that is
// under way when the next generation comes.
struct TargetRules {
  std::shared_ptr<const proxy::Generation> generation;  // keeps what the rest refers to
  const config::Server* server = nullptr;
  const expr::Condition* condition = nullptr;
  balance::MemberSpec member;
  std::string balancer;  // its name
};

// Refers to the rules. httpd: `timeout`, else ProxyTimeout, else Timeout; `connectiontimeout` goes
// before them.
CheckPlan plan_for(const TargetRules& rules);

}  // namespace steelyard::health
