#include "manage/kept_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "balance/config_text.hpp"

namespace steelyard::manage {

ApiJson change_object(const balance::Change& change) {
  return {{"member", change.member},
          {"field", change.field},
          {"before", change.before},
          {"after", change.after}};
}

ApiJson kept_object(const journal::Kept& kept) {
  ApiJson object{{"id", kept.id},
                 {"at", Moment::text_of(kept.when)},
                 {"kind", journal::to_text(kept.record.kind)},
                 {"scope", kept.balancer.scope},
                 {"balancer", kept.balancer.name}};
  object.update(change_object(kept.record.change));
  object["who"] = kept.record.author.who;
  object["from"] = kept.record.author.from;
  object["reason"] = kept.record.author.reason;
  if (kept.record.undoes) object["undoes"] = *kept.record.undoes;
  return object;
}

std::expected<std::vector<journal::Kept>, std::string> kept_changes(
    const ChangesBook& book, const std::vector<NamedBalancer>& balancers,
    std::optional<std::int64_t> before) {
  const journal::Journal* const journal = book.journal();
  if (journal == nullptr) return std::unexpected("the journal of changes is not open");
  std::vector<journal::Kept> rows;
  for (const NamedBalancer& balancer : balancers) {
    journal::HistoryFilter filter;
    filter.balancer = journal::BalancerKey{balancer.scope, balancer.state->name()};
    auto some = journal->history(filter, history_rows, before);
    if (!some) return std::unexpected(some.error().text);
    std::ranges::move(*some, std::back_inserter(rows));
  }
  std::ranges::sort(rows, std::ranges::greater(), &journal::Kept::id);
  rows.resize(std::min(rows.size(), history_rows));
  return rows;
}

std::int64_t last_change(const ChangesBook& book) {
  const journal::Journal* const journal = book.journal();
  if (journal == nullptr) return 0;
  const auto rows = journal->history({}, 1);
  return rows && !rows->empty() ? rows->front().id : 0;
}

std::string export_text(const std::vector<NamedBalancer>& balancers) {
  std::string text;
  for (const NamedBalancer& balancer : balancers) {
    const balance::Edits edits(*balancer.state);
    const balance::Overlay overlay = edits.overlay();
    if (overlay.empty()) continue;
    text += fmt::format("{}# {} of {}\n{}", text.empty() ? "" : "\n", balancer.state->name(),
                        balancer.scope, balance::config_text(edits.written(), overlay));
  }
  return text.empty() ? "# nothing is changed\n" : text;
}

}  // namespace steelyard::manage
