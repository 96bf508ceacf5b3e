// Stickiness, second half: the member that serves a tag.
//
// Non-standby members come first, then standbys; of several with one tag the first usable one wins,
// and an error whose retry time is over is forgotten on the way. A member that stays unusable may
// name another tag (redirect=), which is then looked up the same way.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/roster.hpp"
#include "balance/trials.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

struct SessionSearch {
  std::string_view tag;
  Instant now;
  std::span<const Position> left_out{};  // as if they were unusable
  Fitness fitness = Fitness::none;       // for the trial of a member in error
};

// nobody when no member can serve the tag. lbset, spare and drain do not matter here. A member that
// is not usable was found for its trial.
Position find_session_member(Roster& roster, const SessionSearch& search,
                             std::vector<Event>& events);

}  // namespace steelyard::balance
