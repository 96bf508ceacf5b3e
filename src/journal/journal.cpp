#include "journal/journal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "journal/database.hpp"
#include "journal/tables.hpp"

namespace steelyard::journal {

namespace {

constexpr std::string_view membership_field = "member";

// At most `bytes_max` bytes, without half a character (UTF-8) at the end.
std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

Author bounded(Author author) {
  return {.who = cut(std::move(author.who), author_text_bytes_max),
          .from = cut(std::move(author.from), author_text_bytes_max),
          .reason = cut(std::move(author.reason), author_text_bytes_max)};
}

bool is_bounded(const balance::Change& change) {
  return std::ranges::all_of(
      std::initializer_list<const std::string*>{&change.member, &change.field, &change.before,
                                                &change.after},
      [](const std::string* text) { return text->size() <= value_bytes_max; });
}

WallTime in_microseconds(WallTime when) {
  return std::chrono::time_point_cast<std::chrono::microseconds>(when);
}

std::int64_t number_of(WallTime when) {
  return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

// "WHERE true AND ...", and what its question marks stand for.
class Conditions {
 public:
  template <class Value>
  void add(std::string_view condition, Value value) {
    text_.append(" AND ").append(condition);
    bind_.emplace_back([value = std::move(value)](Statement& statement) { statement.with(value); });
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  void bind(Statement& statement) const {
    for (const auto& one : bind_) one(statement);
  }

 private:
  std::string text_ = "WHERE true";
  std::vector<std::function<void(Statement&)>> bind_;
};

Conditions conditions_of(const HistoryFilter& filter, std::optional<std::int64_t> before) {
  Conditions conditions;
  if (before) conditions.add("id < ?", *before);
  if (filter.balancer) {
    conditions.add("scope = ?", filter.balancer->scope);
    conditions.add("balancer = ?", filter.balancer->name);
  }
  if (filter.member) conditions.add("member = ?", *filter.member);
  if (filter.kind) conditions.add("kind = ?", static_cast<std::int64_t>(*filter.kind));
  if (filter.from) conditions.add("at >= ?", number_of(*filter.from));
  if (filter.until) conditions.add("at <= ?", number_of(*filter.until));
  return conditions;
}

// A member that comes back gets what it had of changes when it went.
void restore_member(const Kept& removal, const std::vector<Entry>& lost,
                    balance::ChangeOrder& order) {
  const std::string& member = removal.record.change.member;
  order.added.push_back(member);
  bool tells_status = false;
  for (const Entry& entry : lost) {
    if (entry.field == membership_field) continue;
    tells_status = tells_status || entry.field == "status";
    order.fields.push_back({member, entry.field, entry.value});
  }
  // Members are added disabled.
  if (!tells_status && removal.record.change.before == "added")
    order.fields.push_back({member, "status", ""});
}

}  // namespace

void Journal::begin_above(std::int64_t id) { last_id_ = std::max(last_id_, id); }

bool Journal::owes_its_first_row() const {
  const auto extent = extent_of(*database_);
  return extent && extent->last < last_id_;
}

bool Journal::is_in_place() const { return !file_ || identity_of(database_->path()) == file_; }

std::expected<void, Fault> Journal::stay_in_place() const {
  if (is_in_place()) return {};
  return fail(Fault::Kind::lost, database_->path() +
                                     " was deleted, moved or replaced while it was open; a "
                                     "graceful reload begins it anew");
}

std::expected<std::int64_t, Fault> Journal::append(const BalancerKey& balancer,
                                                   std::span<const Record> records,
                                                   const balance::Overlay& after, WallTime now) {
  CHECK(!records.empty());
  if (is_read_only_) return fail(Fault::Kind::read_only, database_->path() + " is read-only");
  for (const Record& record : records) {
    if (!is_bounded(record.change)) {
      return fail(Fault::Kind::refused,
                  fmt::format("a name or value is longer than {} bytes", value_bytes_max));
    }
  }
  if (auto there = stay_in_place(); !there) return std::unexpected(std::move(there.error()));
  Transaction transaction(*database_);
  if (auto begun = transaction.begin(); !begun) return std::unexpected(std::move(begun.error()));
  const auto extent = extent_of(*database_);
  if (!extent) return std::unexpected(extent.error());
  const std::int64_t first = std::max(extent->last, last_id_) + 1;
  auto written = write(balancer, records, after, now, first);
  if (written) written = transaction.commit();
  if (written) written = stay_in_place();
  if (!written) return std::unexpected(std::move(written.error()));
  last_id_ = first + static_cast<std::int64_t>(records.size()) - 1;
  return last_id_;
}

std::expected<void, Fault> Journal::write(const BalancerKey& balancer,
                                          std::span<const Record> records,
                                          const balance::Overlay& after, WallTime now,
                                          std::int64_t first) {
  std::int64_t id = first;
  for (const Record& record : records) {
    Kept change{.id = id++,
                .request = first,
                .when = in_microseconds(now),
                .balancer = balancer,
                .record = record};
    change.record.author = bounded(std::move(change.record.author));
    if (auto done = write_change(*database_, change); !done) return done;
  }
  const auto before = entries_now(*database_, balancer);
  if (!before) return std::unexpected(before.error());
  auto done = replace_entries(*database_, balancer, *before, entries_of(after, *before), first);
  if (!done) return done;
  // Never the request itself: its ids must not be given out again.
  const std::int64_t oldest = std::min(id - 1 - rows_max_, first - 1);
  return oldest >= 1 ? forget_until(*database_, oldest) : done;
}

std::expected<Overlays, Fault> Journal::load() const {
  const auto extent = extent_of(*database_);
  if (!extent) return std::unexpected(extent.error());
  return overlays_at(*database_, extent->last);
}

std::expected<Overlays, Fault> Journal::as_of(std::int64_t id) const {
  const auto extent = extent_of(*database_);
  if (!extent) return std::unexpected(extent.error());
  if (id < extent->first - 1) {
    return fail(Fault::Kind::refused,
                fmt::format("the history begins with change {}", extent->first));
  }
  return overlays_at(*database_, id);
}

std::expected<Overlays, Fault> Journal::as_of(WallTime when) const {
  Statement last = database_->prepare("SELECT coalesce(max(id), 0) FROM changes WHERE at <= ?");
  const auto row = last.with(number_of(when)).step();
  if (!row) return std::unexpected(row.error());
  return as_of(last.number(0));
}

std::expected<std::vector<Kept>, Fault> Journal::history(const HistoryFilter& filter,
                                                         std::size_t limit,
                                                         std::optional<std::int64_t> before) const {
  const Conditions conditions = conditions_of(filter, before);
  Statement rows = database_->prepare(fmt::format(
      "SELECT {} FROM changes {} ORDER BY id DESC LIMIT ?", change_columns, conditions.text()));
  conditions.bind(rows);
  rows.with(static_cast<std::int64_t>(std::min(limit, history_rows_max)));
  std::vector<Kept> changes;
  while (true) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return changes;
    changes.push_back(read_change(rows));
  }
}

std::expected<Kept, Fault> Journal::find(std::int64_t id) const {
  Statement rows =
      database_->prepare(fmt::format("SELECT {} FROM changes WHERE id = ?", change_columns));
  const auto row = rows.with(id).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Fault::Kind::refused, fmt::format("there is no change {}", id));
  return read_change(rows);
}

// By another request, or by the member's going and coming, or a start that forgot it.
std::expected<std::optional<Kept>, Fault> Journal::last_since(const Kept& change) const {
  Statement rows = database_->prepare(
      "SELECT id FROM changes WHERE request > ? AND scope = ? AND balancer = ? AND "
      "((member = ? AND (field = ? OR field = 'member')) OR kind = ?) ORDER BY id DESC LIMIT 1");
  rows.with(change.request).with(change.balancer.scope).with(change.balancer.name);
  rows.with(change.record.change.member).with(change.record.change.field);
  const auto row = rows.with(static_cast<std::int64_t>(Kind::forgotten)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return find(rows.number(0));
}

std::expected<UndoOrder, Fault> Journal::undo(std::int64_t id, Later later) const {
  const auto found = find(id);
  if (!found) return std::unexpected(found.error());
  const balance::Change& change = found->record.change;
  if (change.field.empty()) {
    return fail(Fault::Kind::refused,
                fmt::format("change {} is about the whole balancer and cannot be undone", id));
  }
  if (change.field == finding_field) {
    return fail(Fault::Kind::refused,
                fmt::format("change {} is about what was found out of a member: say it anew", id));
  }
  UndoOrder undo{.balancer = found->balancer, .order = {}};
  const auto since = last_since(*found);
  if (!since) return std::unexpected(since.error());
  // Asked for twice, as who got no answer does: it is done.
  if (*since && (*since)->record.kind == Kind::undo && (*since)->record.undoes == id) return undo;
  if (*since && later == Later::matters) {
    return fail(Fault::Kind::refused, fmt::format("{} was changed again since, by change {}",
                                                  change.field, (*since)->id));
  }
  if (change.field != membership_field) {
    undo.order.fields.push_back({change.member, change.field, change.before});
  } else if (change.after == "added" || change.after == "configured") {
    undo.order.removed.push_back(change.member);
  } else {
    const auto lost = entries_ended_by(*database_, found->request, change.member);
    if (!lost) return std::unexpected(lost.error());
    restore_member(*found, *lost, undo.order);
  }
  return undo;
}

}  // namespace steelyard::journal
