#include "balance/returning.hpp"

#include <algorithm>
#include <utility>

#include "balance/roster.hpp"

namespace steelyard::balance {

namespace {

std::uint32_t share_at(Duration elapsed, Duration whole) {
  if (elapsed >= whole) return full_share;
  if (elapsed <= Duration::zero()) return first_share;
  const double part = static_cast<double>(elapsed.count()) / static_cast<double>(whole.count());
  return first_share + static_cast<std::uint32_t>(part * (full_share - first_share));
}

}  // namespace

std::chrono::milliseconds Roster::slow_start(Position at) const {
  return spec(at).slow_start.value_or(slow_start_default_);
}

void Roster::note_return(Position at) {
  if (reentry_ == Reentry::keep && slow_start(at).count() == 0) return;
  now_.returns[at].due = true;
  any_due_ = true;
}

Instant Roster::welcome(std::span<const Run> candidates, Instant now) {
  if (any_due_) {
    reenter(candidates);
    begin_ramps(candidates, now);
  }
  return ramps_.empty() ? never : advance_ramps(now);
}

// What others have is looked at before anybody changes, so that members that come back together get
// one and the same position.
void Roster::reenter(std::span<const Run> candidates) {
  settle();
  std::int64_t others = 0;
  std::int64_t credit = 0;
  double weight = 0;
  for (const Run run : candidates) {
    for (Position at = run.begin; at < run.end; ++at) {
      if (now_.returns[at].due) continue;
      ++others;
      credit += now_.credits[at];
      weight += static_cast<double>(weigh(at));
    }
  }
  if (others == 0) return;
  for (const Run run : candidates) {
    for (Position at = run.begin; at < run.end; ++at) {
      if (!now_.returns[at].due) continue;
      now_.credits[at] = credit / others;
      now_.bases[at] = weighed_until_now(at);
      now_.bases[at].weight = static_cast<std::int64_t>(weight / static_cast<double>(others));
      weigh(at);
    }
  }
}

// Those that no choice considers yet (a standby, another lbset) stay due.
void Roster::begin_ramps(std::span<const Run> candidates, Instant now) {
  for (const Run run : candidates) {
    for (Position at = run.begin; at < run.end; ++at) {
      Return& returning = now_.returns[at];
      if (!std::exchange(returning.due, false) || slow_start(at).count() == 0) continue;
      returning.began = now;
      returning.saved = 0;
      set_share(at, first_share);
    }
  }
  any_due_ = std::ranges::any_of(now_.returns, &Return::due);
  find_ramps();
}

Instant Roster::advance_ramps(Instant now) {
  Duration step = Duration::max();
  for (const Position at : ramps_) {
    const Duration whole = slow_start(at);
    set_share(at, share_at(now - now_.returns[at].began, whole));
    step = std::min(step, whole / ramp_steps);
  }
  find_ramps();
  return ramps_.empty() ? never : now + step;
}

// bytraffic weighs what moved so far by the factor it moved under.
void Roster::set_share(Position at, std::uint32_t share) {
  if (now_.returns[at].share == share) return;
  settle();
  debt_.stale = true;
  now_.bases[at] = weighed_until_now(at);
  now_.returns[at].share = share;
  now_.factors[at] = ramped(spec(at).load_factor, share);
  weigh(at);
}

void Roster::find_ramps() {
  ramps_.clear();
  for (Position at = 0; at < size(); ++at) {
    if (now_.returns[at].share != full_share) ramps_.push_back(at);
  }
}

// One turn is the most that is saved, beside what this turn brings.
bool Roster::save_turn(Position at, std::int64_t quota) {
  std::int64_t& saved = now_.returns[at].saved;
  saved = std::min(saved, quota) + now_.factors[at];
  return saved >= quota;
}

}  // namespace steelyard::balance
