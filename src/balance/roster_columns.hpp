// What a roster is made of.
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "balance/lease.hpp"
#include "balance/returning.hpp"
#include "balance/status.hpp"
#include "balance/weight_table.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

inline constexpr Position nobody = UINT32_MAX;

// Consecutive positions [begin, end).
struct Run {
  Position begin;
  Position end;
};

// Appends a position; consecutive ones grow the last run.
void append(std::vector<Run>& runs, Position position);

// One entry a member in each, in configuration order.
struct RosterColumns {
  std::vector<MemberRef> members;
  std::vector<std::int64_t> credits;
  std::vector<std::int64_t> factors;  // what they are worth now, see returning.hpp
  std::vector<Status> statuses;
  std::vector<std::uint8_t> lbsets;
  std::vector<Instant> error_times;
  std::vector<Weighed> weighed;
  std::vector<TrafficBase> bases;
  std::vector<Return> returns;
  std::vector<int> limits;  // max=; 0: none

  bool has_line = false;   // queue=
  bool any_limit = false;  // one of `limits` is not 0
  // Members that may have leases from before a reload brought the line or their max=: those end
  // without a word to the line.
  std::vector<Position> silent;
  // What leases of the member are made with.
  [[nodiscard]] EndIsTold told(Position at) const {
    return has_line && limits[at] != 0 ? EndIsTold::yes : EndIsTold::no;
  }
};

// What a member brings along from the generation before, or starts with.
struct CarriedMember {
  Status status;
  std::int64_t credit = 0;
  Instant error_time;
  TrafficBase base{};
  Return returning{};
};

// What session hits left owing: so many turns to each member that is in a run.
struct SessionDebt {
  std::vector<Run> usable_runs;
  std::int64_t usable_quota = 0;  // the sum of their factors
  std::int64_t owed_turns = 0;
  bool stale = true;  // the runs are not those of the usable members any more
};

struct TaggedPositions {
  std::string text;
  std::vector<Position> positions;
};

}  // namespace steelyard::balance
