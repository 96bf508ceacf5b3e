#include "balance/drain.hpp"

namespace steelyard::balance {

namespace {

std::string counted(std::uint64_t count, std::string_view thing, bool at_least = false) {
  return (at_least ? "at least " : "") + std::to_string(count) + ' ' + std::string(thing) +
         (count == 1 ? "" : "s");
}

// What still ties somebody to the member; empty: nothing.
std::string left_text(const DrainSight& sight) {
  std::string left;
  if (!sight.stopped && sight.sessions.sessions > 0) {
    left = counted(sight.sessions.sessions, "session", sight.sessions.at_least);
  }
  if (sight.busy > 0) {
    left += (left.empty() ? "" : " and ") +
            counted(static_cast<std::uint64_t>(sight.busy), "exchange") + " under way";
  }
  return left;
}

// What was before the census began may come back: then only time tells.
bool is_quiet(const DrainOrder& order, const DrainSight& sight) {
  const SessionCount& seen = sight.sessions;
  if (sight.stopped) return order.has_end();
  return order.sessions_max && seen.whole && !seen.at_least && seen.sessions <= *order.sessions_max;
}

std::string quiet_text(const DrainOrder& order, const DrainSight& sight) {
  const SessionCount& seen = sight.sessions;
  if (sight.stopped) return "no exchange under way";
  const std::string window = duration_text(order.window);
  if (!seen.whole && seen.sessions == 0)
    return "no session since they are counted, which is less than " + window;
  if (seen.sessions == 0) return "no session for " + window;
  return counted(seen.sessions, "session") + " within " + window;
}

}  // namespace

std::string_view to_text(DrainState state) {
  switch (state) {
    case DrainState::under_way:
      return "draining";
    case DrainState::drained:
      return "drained";
    case DrainState::deadline_passed:
      return "deadline passed";
    case DrainState::cancelled:
      return "cancelled";
  }
  return {};
}

DrainVerdict judge(const DrainOrder& order, const DrainSight& sight, Instant now) {
  if (sight.busy == 0 && is_quiet(order, sight)) {
    return {.state = DrainState::drained, .outcome = quiet_text(order, sight)};
  }
  if (!order.deadline || now < *order.deadline) return {};
  const std::string left = left_text(sight);
  if (left.empty()) {
    return {.state = DrainState::drained,
            .outcome = "nothing left at the deadline: " + quiet_text(order, sight)};
  }
  return {.state = DrainState::deadline_passed, .outcome = left + " left at the deadline"};
}

std::string duration_text(Duration duration) {
  using std::chrono::duration_cast;
  const auto whole = duration_cast<std::chrono::milliseconds>(duration);
  const auto in = [&whole](auto unit) { return whole.count() / unit.count(); };
  const auto is_whole = [&whole](std::chrono::milliseconds unit) {
    return whole.count() % unit.count() == 0;
  };
  const std::chrono::milliseconds hour = std::chrono::hours(1);
  const std::chrono::milliseconds minute = std::chrono::minutes(1);
  const std::chrono::milliseconds second = std::chrono::seconds(1);
  if (whole.count() > 0 && is_whole(hour)) return std::to_string(in(hour)) + " h";
  if (whole.count() > 0 && is_whole(minute)) return std::to_string(in(minute)) + " min";
  if (is_whole(second)) return std::to_string(in(second)) + " s";
  return std::to_string(whole.count()) + " ms";
}

}  // namespace steelyard::balance
