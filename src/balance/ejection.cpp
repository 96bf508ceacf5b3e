#include "balance/ejection.hpp"

#include <algorithm>

namespace steelyard::balance {

namespace {

// Twice as long each time is beyond every limit long before.
constexpr int in_row_max = 64;

// How long a member must have served for earlier ejections to be forgotten. Who is slow can be
// found out only when a whole window was measured, which may begin late.
Duration probation(const EjectionRecord& record, const EjectionSpec& rules) {
  Duration longest = record.lasts;
  if (rules.fail_limit) longest = std::max<Duration>(longest, rules.fail_limit->within);
  if (rules.slow_limit) longest = std::max<Duration>(longest, 2 * rules.slow_limit->window);
  return longest;
}

}  // namespace

// Clocks of shards differ by a turn of their loops, so a time may be a little before the last one.
bool note_failure(EjectionRecord& record, const FailLimit& limit, Instant now) {
  std::vector<Instant>& times = record.failures;
  times.push_back(times.empty() ? now : std::max(now, times.back()));
  const auto wanted = static_cast<std::size_t>(limit.failures);
  auto first = std::ranges::find_if(times, [&](Instant at) { return now - at < limit.within; });
  if (times.size() > wanted) {
    first = std::max(first, times.end() - static_cast<std::ptrdiff_t>(wanted));
  }
  times.erase(times.begin(), first);
  return times.size() >= wanted;
}

void EjectionRecord::serve_from(Instant now) {
  if (now == Instant::min()) {
    in_row = 0;
    serving_since.reset();
  } else {
    serving_since = now;
  }
}

Duration begin_ejection(EjectionRecord& record, const EjectionSpec& rules,
                        std::chrono::seconds retry, Instant now) {
  const bool redeemed =
      record.serving_since && now - *record.serving_since >= probation(record, rules);
  if (redeemed) record.in_row = 0;
  const Duration longest = std::max<Duration>(rules.effective_longest(), retry);
  Duration lasts = retry;
  for (int i = 0; i < record.in_row && lasts < longest; ++i) lasts *= 2;
  record.in_row = std::min(record.in_row + 1, in_row_max);
  record.serving_since.reset();
  record.failures.clear();
  return std::min(lasts, longest);
}

std::string reason_to_spare(const EjectionSpec& rules, const Standing& standing) {
  const int needed = std::max(1, rules.active_min.value_or(1));
  if (standing.others_active < needed) {
    return std::to_string(standing.others_active) + " others are usable, at least " +
           std::to_string(needed) + " must remain";
  }
  const int percent = rules.effective_percent_max();
  if ((standing.out + 1) * 100 > percent * standing.members) {
    return std::to_string(standing.out) + " of " + std::to_string(standing.members) +
           " members are out already (maxejected=" + std::to_string(percent) + ')';
  }
  return {};
}

}  // namespace steelyard::balance
