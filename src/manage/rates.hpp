// What happened between two looks at a member's counters, and what that means for people: requests
// a second, shares, quantiles.
//
//   counts ── since() ─▶ Amount ── add() ─▶ Amount of a longer time, or of several members
//                          └─▶ Rates
//
// Threads: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "balance/member_view.hpp"
#include "base/duration_histogram.hpp"
#include "base/time.hpp"
#include "proxy/counters.hpp"

namespace steelyard::manage {

inline constexpr std::size_t latency_places = DurationHistogram::bound_count + 1;

// Counters at one moment. Small ones wrap around, as only differences of a minute count.
struct Counts {
  std::uint64_t requests = 0;                              // that were given to the member
  std::uint64_t sent = 0, received = 0;                    // bytes to and from it
  std::uint32_t bad_answers = 0;                           // of status 5xx
  std::array<std::uint32_t, proxy::cause_count> causes{};  // failures but for the client's own
  std::array<std::uint32_t, latency_places> latency{};     // until an answer began

  static Counts of(const balance::MemberView& view, const proxy::MemberCells& cells);
};

// Of some time.
struct Amount {
  Duration span{0};
  std::uint64_t requests = 0, sent = 0, received = 0;
  std::uint32_t bad_answers = 0;
  std::uint32_t refused = 0;  // a balancer's: it had no member for them
  std::array<std::uint32_t, proxy::cause_count> causes{};
  std::array<std::uint32_t, latency_places> latency{};

  // A counter that went back began anew.
  static Amount since(const Counts& before, const Counts& now, Duration span);
  // What came next, of the same members.
  void add_later(const Amount& other);
  // What happened at the same time, of others.
  void add_beside(const Amount& other);
  [[nodiscard]] std::uint64_t errors() const;
  [[nodiscard]] bool is_empty() const;

 private:
  void add_counts(const Amount& other);
};

// A second, over the span; 0 for no time.
[[nodiscard]] double per_second(std::uint64_t count, Duration span);

// In milliseconds, within the bucket where it lies as if that were filled evenly; of the last one,
// which has no end, its beginning. None: nothing was measured. `q` from 0 to 1.
[[nodiscard]] std::optional<double> quantile_ms(
    const std::array<std::uint32_t, latency_places>& counts, double q);

// What part of the balancer's new requests each member should get by its load factor now, 0 to 1:
// the members of the lowest set with anybody, and spares and standbys where they are called
// (balance/plan.hpp). Policies that go by keys or loads come to it only in the long run, or never.
[[nodiscard]] std::vector<double> expected_shares(std::span<const balance::MemberView> members,
                                                  std::optional<int> active_min);

}  // namespace steelyard::manage
