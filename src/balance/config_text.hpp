// A balancer as configuration text: the block that stands in httpd.conf in the place of its old
// one, so that what operators changed outlives them.
//
//   <Proxy balancer://app>
//       BalancerMember http://10.0.0.1:8080 loadfactor=3.00 "route=a b"
//       ProxySet lbmethod=bybusyness
//   </Proxy>
//
// Parameters that are as they are without being written are left out. What cannot be said in a
// configuration file is told in comments at the top.
//
// Pure.
#pragma once

#include <memory>
#include <string>

#include "balance/overlay.hpp"
#include "balance/spec.hpp"

namespace steelyard::balance {

// Reading it makes the same spec.
[[nodiscard]] std::string config_text(const BalancerSpec& spec);

// With the changes. `configured` is as the configuration has it, names not expanded: changes to
// members that a name leads to have no line that could say them.
[[nodiscard]] std::string config_text(const std::shared_ptr<const BalancerSpec>& configured,
                                      const Overlay& overlay);

}  // namespace steelyard::balance
