#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/entry_text.hpp"
#include "expr/facts.hpp"

// The fields of %{FIELD}^sy: how an exchange went. httpd keeps `^` and two letters for formats
// beyond those of one letter; it has none called `sy`.
//
//   %{attempts}^sy      of the exchange
//   %{member}^sy        of its last attempt; %{1:member}^sy of its first
//   %{all:member}^sy    of all attempts, with commas between
//
// Threads: immutable.

namespace steelyard::expr {

struct Attempt;  // timeline.hpp

enum class TimelineField : std::uint8_t {
  // of the exchange
  time,
  duration_us,
  first_byte_us,
  attempts,
  queue_us,
  balancer,
  ended_by,
  end_cause,
  trace_id,
  span_id,
  parent_id,
  sampled,
  // of an attempt
  member,
  route,
  address,
  reason,
  proof,
  outcome,
  member_status,
  connection,
  slot_us,
  connect_us,
  send_us,
  wait_us,
  relay_us,
  attempt_us,
  attempt_span_id,
};

struct TimelineFieldRow {
  std::string_view name;
  TimelineField field;
  bool is_number = false;
  bool is_of_attempt = false;
  bool needs_timeline = true;  // else any exchange can tell
};
std::span<const TimelineFieldRow> timeline_fields();
const TimelineFieldRow& row_of(TimelineField field);

// What stands in the braces.
struct TimelineChoice {
  static constexpr int last = 0, all = -1;

  TimelineField field = TimelineField::time;
  int attempt = last;  // or 1 for the first, 2 for the second, ...
};
std::expected<TimelineChoice, Complaint> parse_timeline_choice(std::string_view text);

void put_timeline(const TimelineChoice& choice, const Facts& facts, EntryText& out);
// A field of an attempt.
void put_attempt_field(TimelineField field, const Attempt& attempt, EntryText& out);

// "2026-11-29T12:00:00.123456Z" (RFC 3339).
void put_utc_time(WallTime when, EntryText& out);

}  // namespace steelyard::expr
