// Stickiness, second half: the member that serves a tag.
//
// Non-standby members come first, then standbys; of several with one tag the first usable one wins,
// and an error whose retry time is over is forgotten on the way. A member that stays unusable may
// name another tag (redirect=), which is then looked up the same way.
#pragma once

#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/roster.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// nobody when no member can serve the tag. lbset, spare and drain do not matter here.
Position find_session_member(Roster& roster, std::string_view tag, Instant now,
                             std::vector<Event>& events);

}  // namespace steelyard::balance
