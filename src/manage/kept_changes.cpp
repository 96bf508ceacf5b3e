#include "manage/kept_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "balance/config_text.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"

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

bool was_member(const ChangesBook& book, const NamedBalancer& balancer, std::string_view wanted) {
  const auto added = balance::added_member(wanted);
  const std::string name = added ? added->name : balance::without_password(wanted);
  const std::string behind_scheme = "://" + name;
  const auto is_it = [&](const std::string& member) {
    return member == name || member.ends_with(behind_scheme);
  };
  for (const balance::MemberView& view : balancer.state->members()) {
    if (is_it(view.spec->name)) return false;
  }
  const balance::Overlay overlay = balance::Edits(*balancer.state).overlay();
  for (const balance::MemberEdits& edits : overlay.members) {
    if (edits.membership == balance::Membership::removed && is_it(edits.member)) return true;
  }
  const journal::Journal* const journal = book.journal();
  if (journal == nullptr) return false;
  journal::HistoryFilter filter;
  filter.balancer = journal::BalancerKey{balancer.scope, balancer.state->name()};
  const auto rows = journal->history(filter, journal::Journal::history_rows_max);
  return rows && std::ranges::any_of(*rows, [&](const journal::Kept& row) {
           return is_it(row.record.change.member);
         });
}

std::optional<WallTime> parse_moment(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00T00:00:00Z";
  if (text.size() != shape.size()) return std::nullopt;
  std::array<int, 6> numbers{};
  std::size_t at = 0;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) {
    if (shape[i] == '0' && is_digit(text[i])) {
      numbers[at] = numbers[at] * 10 + (text[i] - '0');
    } else if (text[i] == shape[i]) {
      ++at;
    } else {
      return std::nullopt;
    }
  }
  const auto [year, month, day, hour, minute, second] = numbers;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!text.ends_with('Z') || !date.ok() || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

namespace {

std::expected<journal::Overlays, ControlFault> overlays_at(const ChangesBook& book,
                                                           std::string_view at, WallTime now) {
  using Kind = ControlFault::Kind;
  const journal::Journal* const journal = book.journal();
  if (journal == nullptr) {
    return std::unexpected(
        ControlFault{.kind = Kind::refused, .text = "the journal of changes is not open"});
  }
  const auto read = [&](auto point) -> std::expected<journal::Overlays, ControlFault> {
    auto overlays = journal->as_of(point);
    if (overlays) return std::move(*overlays);
    return std::unexpected(ControlFault{.kind = Kind::refused, .text = overlays.error().text});
  };
  if (const auto id = parse_unsigned(at); id && *id <= INT64_MAX) {
    const auto number = static_cast<std::int64_t>(*id);
    if (const std::int64_t last = journal->last_id(); number > last)
      return std::unexpected(ControlFault{
          .text = fmt::format("there is no change {} yet; the last one is {}", number, last)});
    return read(number);
  }
  // To the end of that second: what was told with the same text is in it.
  constexpr auto rest = std::chrono::seconds(1) - std::chrono::microseconds(1);
  if (const auto when = parse_moment(at)) {
    if (*when > now) {
      return std::unexpected(ControlFault{
          .text = fmt::format("{} has not come yet: it is {}", at, Moment::text_of(now))});
    }
    return read(WallTime(*when + rest));
  }
  return std::unexpected(ControlFault{
      .text = "at is the number of a change or a moment, as in 17 or 2026-11-29T14:03:10Z"});
}

}  // namespace

std::expected<std::string, ControlFault> export_text(const ChangesBook& book,
                                                     const std::vector<NamedBalancer>& balancers,
                                                     std::string_view at, WallTime now) {
  std::optional<journal::Overlays> then;
  if (!at.empty()) {
    auto found = overlays_at(book, at, now);
    if (!found) return std::unexpected(std::move(found.error()));
    then = std::move(*found);
  }
  std::string text;
  for (const NamedBalancer& balancer : balancers) {
    const balance::Edits edits(*balancer.state);
    const balance::Overlay overlay =
        then ? (*then)[{balancer.scope, balancer.state->name()}] : edits.overlay();
    if (overlay.empty()) continue;
    text += fmt::format("{}# {} of {}\n{}", text.empty() ? "" : "\n", balancer.state->name(),
                        balancer.scope, balance::config_text(edits.written(), overlay));
  }
  if (!text.empty()) return text;
  return then ? "# nothing was changed\n" : "# nothing is changed\n";
}

}  // namespace steelyard::manage
