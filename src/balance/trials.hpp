// Trials (trial=On): an error's time is over, and one request at a time shows whether the member
// serves again, while it stays in error for everybody else.
//
//   E ──its time over──▶ E, open ──a request──▶ E, on trial ──head of an answer──▶ fine
//                          ▲                       │  │
//                          └──ended without verdict┘  └──failed──▶ E for a longer time
//
// A trial by policy is free: no credit moves, as the member takes no turns.
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/plan.hpp"
#include "balance/roster.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// For whose trial a request will do while somebody else could answer it.
enum class Fitness : std::uint8_t {
  none,      // it failed elsewhere already, or the member would wait for its client
  any,       // should it fail, another member can answer
  long_due,  // it cannot be repeated: of members whose error has been over for as long as it lasted
};
[[nodiscard]] Fitness fitness_of(const ChoiceRequest& request);

// The member is in error, that error's time is over, no other request is its trial just now, and
// older ones do not have all of its max=.
[[nodiscard]] bool is_open_for_trial(const Roster& roster, Position at, Instant now,
                                     Fitness fitness);
// forcerecovery=On: the error's time counts as over.
void open_for_trial(Roster& roster, Position at, Instant now, std::vector<Event>& events);

class Trials {
 public:
  struct Asked {
    Instant now;
    Fitness fitness = Fitness::none;  // when nobody else is there, every request will do
    std::span<const Position> left_out{};
  };
  // The member whose trial the request shall be, or nobody. `plan` is that of this choice: spares,
  // standbys and higher lbsets have trials only when they would be among its candidates.
  Position find(const Roster& roster, const Plan& plan, const Asked& asked);
  // After find(): when the next of their errors is over (inclusive), or never.
  [[nodiscard]] Instant next_end(const Roster& roster, Instant now) const;

 private:
  void look(const Roster& roster);

  std::vector<Position> erring_;  // nothing but their errors hinders them; by lbset, regular first
  Instant earliest_ = never;      // the first end of their errors
  std::uint64_t epoch_ = 0;
};

}  // namespace steelyard::balance
