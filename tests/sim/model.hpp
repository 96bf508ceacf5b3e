// What a world is made of, and what it tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "balance/balancer.hpp"

namespace steelyard::sim {

// The environment's seed, or the one that all runs share.
std::uint64_t seed_of_run();
// For tests that take several: the environment's alone, or that of all runs and two more. With
// sanitizers one.
std::vector<std::uint64_t> seeds_of_run();

struct MemberModel {
  double service_seconds = 0.01;  // mean
  int places = 1;                 // exchanges served at once; others wait in order
  bool exponential = true;        // service times; else all alike
  bool up = true;                 // else connections are refused
  double refusal_seconds = 0;     // after so long
};

// An attempt that a member took.
struct Pick {
  double at = 0;  // seconds
  std::size_t member = 0;
  std::uint64_t request = 0;  // 1, 2, ... in order of arrival
};

// What the balancer answered, before the member is asked. Members that this names are as they are
// now; `own` is the one that the client's session belongs to, as it was before.
struct Choice {
  std::size_t member = 0;
  balance::Reason reason = balance::Reason::none;
  std::vector<std::size_t> tried{};  // in vain
  std::size_t client = 0;
  std::optional<std::size_t> own{};
  bool own_was_usable = false;
};

// How requests ended that no member answered.
struct Refused {
  int timed_out = 0;    // in the line
  int turned_away = 0;  // it was full
  int otherwise = 0;
  [[nodiscard]] int in_all() const { return timed_out + turned_away + otherwise; }
};

// `members` of equal factor, named m0, m1, ...; parameters as `key=value` words.
std::shared_ptr<balance::BalancerSpec> group_of(std::size_t members, std::string_view parameters);

// The same with a factor for each, and other names for each seed: those decide where keys belong.
std::shared_ptr<balance::BalancerSpec> group_with(const std::vector<int>& factors,
                                                  std::string_view parameters,
                                                  std::uint64_t seed = 0);

// The value that `part` of all lie below.
double quantile(std::vector<double> values, double part);

}  // namespace steelyard::sim
