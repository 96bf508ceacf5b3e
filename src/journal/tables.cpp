#include "journal/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "journal/seal.hpp"

namespace steelyard::journal {

namespace {

// As SQLite keeps them: what a file has is compared with these letter by letter.
constexpr auto schema = std::to_array<std::string_view>({
    "CREATE TABLE changes (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, "
    "who TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, scope TEXT NOT NULL, "
    "balancer TEXT NOT NULL, member TEXT NOT NULL, field TEXT NOT NULL, before TEXT NOT NULL, "
    "after TEXT NOT NULL, undoes INTEGER, request INTEGER NOT NULL, seal INTEGER NOT NULL) STRICT",
    "CREATE TABLE entries (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, balancer TEXT NOT NULL, "
    "member TEXT NOT NULL, field TEXT NOT NULL, place INTEGER NOT NULL, configured TEXT NOT NULL, "
    "value TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, seal INTEGER NOT NULL, "
    "end_seal INTEGER NOT NULL) STRICT",
    "CREATE UNIQUE INDEX entries_now ON entries (scope, balancer, member, field) "
    "WHERE until IS NULL",
    "CREATE INDEX entries_ended ON entries (until) WHERE until IS NOT NULL",
});

constexpr std::int64_t nothing = -1;

std::int64_t microseconds_of(WallTime when) {
  return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

Kind kind_of(std::int64_t number) {
  constexpr std::int64_t last = static_cast<std::int64_t>(Kind::forgotten);
  return static_cast<Kind>(std::clamp<std::int64_t>(number, 0, last));
}

std::int64_t seal_of(const Kept& row) {
  const Record& record = row.record;
  return Seal()
      .over(row.id)
      .over(microseconds_of(row.when))
      .over(static_cast<std::int64_t>(record.kind))
      .over(record.author.who)
      .over(record.author.from)
      .over(record.author.reason)
      .over(row.balancer.scope)
      .over(row.balancer.name)
      .over(record.change.member)
      .over(record.change.field)
      .over(record.change.before)
      .over(record.change.after)
      .over(record.undoes.value_or(nothing))
      .over(row.request)
      .value();
}

std::int64_t seal_of(const BalancerKey& balancer, const Entry& entry, std::int64_t since) {
  return Seal()
      .over(balancer.scope)
      .over(balancer.name)
      .over(entry.member)
      .over(entry.field)
      .over(entry.place)
      .over(entry.configured)
      .over(entry.value)
      .over(since)
      .value();
}

std::int64_t end_seal_of(const BalancerKey& balancer, const Entry& entry, std::int64_t until) {
  return Seal()
      .over(balancer.scope)
      .over(balancer.name)
      .over(entry.member)
      .over(entry.field)
      .over(until)
      .value();
}

constexpr std::string_view entry_columns = "member, field, place, configured, value";

Entry read_entry(const Statement& row, int first_column) {
  return {.member = row.text(first_column),
          .field = row.text(first_column + 1),
          .place = row.number(first_column + 2),
          .configured = row.text(first_column + 3),
          .value = row.text(first_column + 4)};
}

std::expected<std::vector<Entry>, Fault> read_entries(Statement& rows) {
  std::vector<Entry> entries;
  while (true) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return entries;
    entries.push_back(read_entry(rows, 0));
  }
}

std::unexpected<Fault> rotten(const Database& database, std::string_view what) {
  return fail(Fault::Kind::corrupt, fmt::format("{}: {}", database.path(), what));
}

// Calls `is_sound(row)` for each row.
template <class IsSound>
std::expected<void, Fault> verify_rows(const Database& database, std::string_view query,
                                       IsSound is_sound) {
  Statement rows = database.prepare(query);
  while (true) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    if (!is_sound(rows)) return rotten(database, "a row is not as it was written");
  }
}

std::expected<void, Fault> verify_schema(const Database& database) {
  Statement rows = database.prepare("SELECT sql FROM sqlite_schema");
  std::vector<std::string> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    found.push_back(rows.text(0));
  }
  if (!std::ranges::is_permutation(found, schema))
    return rotten(database, "its tables are not a journal's");
  return {};
}

std::expected<void, Fault> verify_pages(const Database& database) {
  Statement check = database.prepare("PRAGMA integrity_check(1)");
  const auto row = check.step();
  if (!row) return std::unexpected(row.error());
  const std::string verdict = *row ? check.text(0) : "no verdict";
  if (verdict != "ok") return rotten(database, verdict);
  return {};
}

}  // namespace

std::string_view to_text(Kind kind) {
  constexpr std::array<std::string_view, 5> names{"change", "undo", "superseded", "brought back",
                                                  "forgotten"};
  return names[static_cast<std::size_t>(kind)];
}

std::expected<void, Fault> create_tables(Database& database) {
  for (const std::string_view statement : schema) {
    if (auto done = database.execute(std::string(statement)); !done) return done;
  }
  return database.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                      application_id, schema_version));
}

std::expected<void, Fault> verify_tables(Database& database) {
  if (auto sound = verify_pages(database); !sound) return sound;
  if (auto sound = verify_schema(database); !sound) return sound;
  const std::string changes = fmt::format("SELECT {}, seal FROM changes", change_columns);
  auto sound = verify_rows(database, changes, [](const Statement& row) {
    return seal_of(read_change(row)) == row.number(14);
  });
  if (!sound) return sound;
  const std::string entries = fmt::format(
      "SELECT {}, scope, balancer, since, until, seal, end_seal FROM entries", entry_columns);
  return verify_rows(database, entries, [](const Statement& row) {
    const BalancerKey balancer{.scope = row.text(5), .name = row.text(6)};
    const Entry entry = read_entry(row, 0);
    const std::int64_t end_seal =
        row.is_nothing(8) ? 0 : end_seal_of(balancer, entry, row.number(8));
    return seal_of(balancer, entry, row.number(7)) == row.number(9) && end_seal == row.number(10);
  });
}

std::expected<Extent, Fault> extent_of(const Database& database) {
  Statement ends = database.prepare("SELECT min(id), max(id) FROM changes");
  const auto row = ends.step();
  if (!row) return std::unexpected(row.error());
  if (!*row || ends.is_nothing(0)) return Extent{};
  return Extent{.first = ends.number(0), .last = ends.number(1)};
}

std::expected<void, Fault> write_change(const Database& database, const Kept& change) {
  const Record& record = change.record;
  Statement insert = database.prepare(fmt::format(
      "INSERT INTO changes ({}, seal) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", change_columns));
  insert.with(change.id)
      .with(microseconds_of(change.when))
      .with(static_cast<std::int64_t>(record.kind))
      .with(record.author.who)
      .with(record.author.from)
      .with(record.author.reason)
      .with(change.balancer.scope)
      .with(change.balancer.name)
      .with(record.change.member)
      .with(record.change.field)
      .with(record.change.before)
      .with(record.change.after);
  if (record.undoes) {
    insert.with(*record.undoes);
  } else {
    insert.with_nothing();
  }
  return insert.with(change.request).with(seal_of(change)).run();
}

Kept read_change(const Statement& row) {
  Kept change;
  change.id = row.number(0);
  change.when = WallTime(std::chrono::microseconds(row.number(1)));
  change.balancer = {.scope = row.text(6), .name = row.text(7)};
  Record& record = change.record;
  record.kind = kind_of(row.number(2));
  record.author = {.who = row.text(3), .from = row.text(4), .reason = row.text(5)};
  record.change = {
      .member = row.text(8), .field = row.text(9), .before = row.text(10), .after = row.text(11)};
  if (!row.is_nothing(12)) record.undoes = row.number(12);
  change.request = row.number(13);
  return change;
}

std::expected<std::vector<Entry>, Fault> entries_now(const Database& database,
                                                     const BalancerKey& balancer) {
  Statement rows = database.prepare(fmt::format(
      "SELECT {} FROM entries WHERE until IS NULL AND scope = ? AND balancer = ?", entry_columns));
  rows.with(balancer.scope).with(balancer.name);
  return read_entries(rows);
}

std::expected<Overlays, Fault> overlays_at(const Database& database, std::int64_t id) {
  Statement rows =
      database.prepare(fmt::format("SELECT {}, scope, balancer FROM entries "
                                   "WHERE since <= ? AND (until IS NULL OR until > ?)",
                                   entry_columns));
  rows.with(id).with(id);
  std::map<BalancerKey, std::vector<Entry>> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    found[{.scope = rows.text(5), .name = rows.text(6)}].push_back(read_entry(rows, 0));
  }
  Overlays overlays;
  for (auto& [balancer, entries] : found)
    overlays.emplace(balancer, overlay_of(std::move(entries)));
  return overlays;
}

std::expected<std::vector<Entry>, Fault> entries_ended_by(const Database& database,
                                                          std::int64_t request,
                                                          const std::string& member) {
  Statement rows = database.prepare(
      fmt::format("SELECT {} FROM entries WHERE until = ? AND member = ?", entry_columns));
  rows.with(request).with(member);
  return read_entries(rows);
}

std::expected<void, Fault> replace_entries(const Database& database, const BalancerKey& balancer,
                                           const std::vector<Entry>& before,
                                           const std::vector<Entry>& after, std::int64_t request) {
  for (const Entry& entry : before) {
    if (std::ranges::find(after, entry) != after.end()) continue;
    Statement end = database.prepare(
        "UPDATE entries SET until = ?, end_seal = ? "
        "WHERE until IS NULL AND scope = ? AND balancer = ? AND member = ? AND field = ?");
    end.with(request)
        .with(end_seal_of(balancer, entry, request))
        .with(balancer.scope)
        .with(balancer.name);
    if (auto done = end.with(entry.member).with(entry.field).run(); !done) return done;
  }
  for (const Entry& entry : after) {
    if (std::ranges::find(before, entry) != before.end()) continue;
    Statement begin = database.prepare(
        fmt::format("INSERT INTO entries ({}, scope, balancer, since, seal, end_seal) "
                    "VALUES (?,?,?,?,?,?,?,?,?,0)",
                    entry_columns));
    begin.with(entry.member).with(entry.field).with(entry.place);
    begin.with(entry.configured).with(entry.value).with(balancer.scope).with(balancer.name);
    if (auto done = begin.with(request).with(seal_of(balancer, entry, request)).run(); !done)
      return done;
  }
  return {};
}

std::expected<void, Fault> forget_until(const Database& database, std::int64_t id) {
  Statement changes = database.prepare("DELETE FROM changes WHERE request <= ?");
  if (auto done = changes.with(id).run(); !done) return done;
  Statement entries = database.prepare("DELETE FROM entries WHERE until <= ?");
  return entries.with(id).run();
}

}  // namespace steelyard::journal
