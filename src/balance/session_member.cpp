#include "balance/session_member.hpp"

#include <algorithm>

#include "balance/trials.hpp"

namespace steelyard::balance {

namespace {

// httpd follows redirects as deep as there are members. When members that share tags redirect to
// each other, that is exponential work, so it is bounded here. No sensible configuration comes
// near.
constexpr int redirect_depth_max = 100;
constexpr int lookups_max = 1000;

class Search {
 public:
  Search(Roster& roster, const SessionSearch& wanted, std::vector<Event>& events)
      : roster_(roster), wanted_(wanted), events_(events) {}

  Position find(std::string_view tag, int depth) {
    if (++lookups_ > lookups_max) return nobody;
    const auto tagged = roster_.tagged(tag);
    for (const bool standby : {false, true}) {
      for (const Position at : tagged) {
        if (roster_.status(at).has(Flag::standby) != standby) continue;
        const Position found = serve(at, depth);
        if (found != nobody) return found;
      }
    }
    return nobody;
  }

 private:
  Position serve(Position at, int depth) {
    if (!is_left_out(at)) {
      if (roster_.usable(at)) return at;
      roster_.retry(at, wanted_.now, events_);
      if (roster_.usable(at)) return at;
      if (is_open_for_trial(roster_, at, wanted_.now, wanted_.fitness)) return at;
    }
    const std::string& redirect = roster_.spec(at).redirect_tag;
    const int members = static_cast<int>(roster_.size());
    if (redirect.empty() || depth >= members || depth >= redirect_depth_max) return nobody;
    return find(redirect, depth + 1);
  }

  [[nodiscard]] bool is_left_out(Position at) const {
    return std::ranges::find(wanted_.left_out, at) != wanted_.left_out.end();
  }

  Roster& roster_;
  const SessionSearch& wanted_;
  std::vector<Event>& events_;
  int lookups_ = 0;
};

}  // namespace

Position find_session_member(Roster& roster, const SessionSearch& search,
                             std::vector<Event>& events) {
  return Search(roster, search, events).find(search.tag, 1);
}

}  // namespace steelyard::balance
