// The tables of a journal's database, and the rows in them.
//
//   changes   the history: one row a change, append only; the oldest go
//   entries   the overlays: a row counted from the request `since` until the request `until`, or
//             counts now. So the table says what was laid over at any id that the history has.
//
// Threads: the journal's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "journal/database.hpp"
#include "journal/entries.hpp"
#include "journal/record.hpp"

namespace steelyard::journal {

// In the header of the file. "StJl".
inline constexpr std::uint32_t application_id = 0x53744a6c;
// A file with a larger one is left alone.
inline constexpr std::uint32_t schema_version = 1;

std::expected<void, Fault> create_tables(Database& database);
// Every row is as it was written, and the tables are those that create_tables() makes.
std::expected<void, Fault> verify_tables(Database& database);

// Ids of the history. Empty: last < first.
struct Extent {
  std::int64_t first = 1, last = 0;
};
std::expected<Extent, Fault> extent_of(const Database& database);

std::expected<void, Fault> write_change(const Database& database, const Kept& change);
// The columns that read_change() wants, for a SELECT.
inline constexpr std::string_view change_columns =
    "id, at, kind, who, origin, reason, scope, balancer, member, field, before, after, undoes, "
    "request";
Kept read_change(const Statement& row);

// What counts now, of one balancer.
std::expected<std::vector<Entry>, Fault> entries_now(const Database& database,
                                                     const BalancerKey& balancer);
// What counted once the change `id` was made, of all.
std::expected<Overlays, Fault> overlays_at(const Database& database, std::int64_t id);
// What counted for the member until `request`.
std::expected<std::vector<Entry>, Fault> entries_ended_by(const Database& database,
                                                          std::int64_t request,
                                                          const std::string& member);
// `after` counts from `request` on.
std::expected<void, Fault> replace_entries(const Database& database, const BalancerKey& balancer,
                                           const std::vector<Entry>& before,
                                           const std::vector<Entry>& after, std::int64_t request);
// Forgets requests that began up to `id`, and what counted only before.
std::expected<void, Fault> forget_until(const Database& database, std::int64_t id);

}  // namespace steelyard::journal
