#include "manage/remembered_stops.hpp"

#include <algorithm>

#include "balance/drains.hpp"
#include "balance/edits.hpp"

namespace steelyard::manage {

namespace {

constexpr std::string_view status_field = "status";

// S that came with N or after it. When the history does not reach back so far, N tells why the
// member is stopped.
bool is_stopped_by_a_drain(const journal::Journal& journal, const journal::BalancerKey& key,
                           const std::string& member) {
  journal::HistoryFilter filter;
  filter.balancer = key;
  filter.member = member;
  const auto rows = journal.history(filter, journal::Journal::history_rows_max);
  if (!rows) return true;
  for (const journal::Kept& row : *rows) {
    const balance::Change& change = row.record.change;
    const bool has_set_it =
        change.field == status_field && !change.before.contains('S') && change.after.contains('S');
    if (has_set_it) return change.after.contains('N');
  }
  return true;
}

bool is_drained_and_stopped(const balance::MemberEdits* edits) {
  if (edits == nullptr) return false;
  const auto status = std::ranges::find(edits->edits, status_field, &balance::Edit::field);
  return status != edits->edits.end() && status->value.contains('N') &&
         status->value.contains('S') && !status->configured.contains('S');
}

}  // namespace

void remember_stops(const journal::Journal& journal, const journal::BalancerKey& key,
                    balance::Balancer& balancer, Instant now) {
  const balance::Overlay overlay = balance::Edits(balancer).overlay();
  for (const balance::MemberView& view : balancer.members()) {
    const std::string& member = view.spec->name;
    if (!is_drained_and_stopped(overlay.find(member))) continue;
    if (!is_stopped_by_a_drain(journal, key, member)) continue;
    balance::Drains(balancer).remember_stop(view.member, balance::DrainOrder::Pace::sessions_leave,
                                            now);
  }
}

}  // namespace steelyard::manage
