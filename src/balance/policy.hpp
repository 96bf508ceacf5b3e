// The words of lbmethod= and what each needs. A new policy is one row of the table in policy.cpp
// and one function in the table of policies.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace steelyard::balance {

enum class Policy : std::uint8_t {
  by_requests,
  by_traffic,
  by_busyness,
  random,
  two_random,
  least_time,
  hash,
  maglev,
  heartbeat,
};
inline constexpr std::size_t policy_count = static_cast<std::size_t>(Policy::heartbeat) + 1;

// Where a policy is known from. httpd has each of its own in a module, lbmethod_<name>_module.
enum class PolicyOrigin : std::uint8_t { httpd, extension };

// What is worked out from the members' names and factors before any pick.
enum class Lookup : std::uint8_t { none, weights, ring, maglev };

struct PolicyTraits {
  Policy policy;
  std::string_view name;
  PolicyOrigin origin = PolicyOrigin::extension;
  Lookup lookup = Lookup::none;
  bool by_plan = true;            // chooses among the candidates of a Plan
  bool hands_out_credit = false;  // each turn every candidate earns its factor (httpd's lbstatus)
  bool has_position = false;      // counters that a member may fall behind with: reentry= acts

  // The same key finds the same member.
  [[nodiscard]] bool by_key() const { return lookup == Lookup::ring || lookup == Lookup::maglev; }
};

const PolicyTraits& traits_of(Policy policy);
// In the order in which documents and advice name them.
std::span<const PolicyTraits> all_policies();

// The lbmethod= word and back. An unknown word is no policy.
std::string_view policy_name(Policy policy);
std::optional<Policy> policy_named(std::string_view name);

}  // namespace steelyard::balance
