#include "balance/policy.hpp"

#include <array>

namespace steelyard::balance {

namespace {

// Table: in the order of the enumerators.
constexpr std::array policies{
    PolicyTraits{.policy = Policy::by_requests,
                 .name = "byrequests",
                 .origin = PolicyOrigin::httpd,
                 .hands_out_credit = true,
                 .has_position = true},
    PolicyTraits{.policy = Policy::by_traffic,
                 .name = "bytraffic",
                 .origin = PolicyOrigin::httpd,
                 .has_position = true},
    PolicyTraits{.policy = Policy::by_busyness,
                 .name = "bybusyness",
                 .origin = PolicyOrigin::httpd,
                 .hands_out_credit = true,
                 .has_position = true},
    PolicyTraits{.policy = Policy::random, .name = "random", .lookup = Lookup::weights},
    PolicyTraits{.policy = Policy::two_random, .name = "tworandom", .lookup = Lookup::weights},
    PolicyTraits{.policy = Policy::least_time, .name = "leasttime", .lookup = Lookup::weights},
    PolicyTraits{.policy = Policy::hash, .name = "hash", .lookup = Lookup::ring},
    PolicyTraits{.policy = Policy::maglev, .name = "maglev", .lookup = Lookup::maglev},
    PolicyTraits{.policy = Policy::heartbeat,
                 .name = "heartbeat",
                 .origin = PolicyOrigin::httpd,
                 .by_plan = false},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < policies.size(); ++i) {
    if (policies[i].policy != static_cast<Policy>(i)) return false;
  }
  return true;
}
static_assert(policies.size() == policy_count && is_in_order());

}  // namespace

const PolicyTraits& traits_of(Policy policy) { return policies[static_cast<std::size_t>(policy)]; }

std::span<const PolicyTraits> all_policies() { return policies; }

std::string_view policy_name(Policy policy) { return traits_of(policy).name; }

std::optional<Policy> policy_named(std::string_view name) {
  for (const PolicyTraits& traits : policies) {
    if (traits.name == name) return traits.policy;
  }
  return std::nullopt;
}

}  // namespace steelyard::balance
