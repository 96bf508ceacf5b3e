#include "balance/health_log.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "balance/health_changes.hpp"

namespace steelyard::balance {

namespace {

std::atomic<std::uint64_t> changes = 0;

bool is_same_change(const HealthEvent& a, const HealthEvent& b) {
  return a.cause == b.cause && a.before == b.before && a.after == b.after;
}

}  // namespace

std::uint64_t health_changes() { return changes.load(std::memory_order_relaxed); }

void HealthLog::note(HealthEvent event) {
  const std::lock_guard guard(lock_);
  changes.fetch_add(1, std::memory_order_relaxed);
  ++totals_.changes[static_cast<std::size_t>(event.cause)];
  const std::size_t looked_at = std::min<std::size_t>(events_.size(), 2);
  for (std::size_t back = 1; back <= looked_at; ++back) {
    HealthEvent& other = events_[events_.size() - back];
    if (!is_same_change(other, event)) continue;
    other.last = event.last;
    ++other.times;
    other.evidence = std::move(event.evidence);
    std::swap(other, events_.back());  // in the order of their last times
    return;
  }
  if (events_.size() == events_max) events_.erase(events_.begin());
  events_.push_back(std::move(event));
}

void HealthLog::note_check(LastCheck check) {
  const std::lock_guard guard(lock_);
  ++(check.verdict == CheckVerdict::passed ? totals_.checks_passed : totals_.checks_failed);
  checks_.last = std::move(check);
}

void HealthLog::set_next_check(std::optional<Instant> due) {
  const std::lock_guard guard(lock_);
  checks_.next_due = due;
}

std::vector<HealthEvent> HealthLog::events() const {
  const std::lock_guard guard(lock_);
  return events_;
}

std::optional<Instant> HealthLog::next_check() const {
  const std::lock_guard guard(lock_);
  return checks_.next_due;
}

CheckHistory HealthLog::checks() const {
  const std::lock_guard guard(lock_);
  return checks_;
}

HealthTotals HealthLog::totals() const {
  const std::lock_guard guard(lock_);
  return totals_;
}

}  // namespace steelyard::balance
