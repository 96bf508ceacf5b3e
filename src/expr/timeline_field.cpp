#include "expr/timeline_field.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "expr/suggestion.hpp"
#include "expr/timeline.hpp"

namespace steelyard::expr {

namespace {

using Field = TimelineField;

constexpr int attempt_number_max = 99;

constexpr TimelineFieldRow of_any(std::string_view name, Field field, bool is_number) {
  return {.name = name, .field = field, .is_number = is_number, .needs_timeline = false};
}
constexpr TimelineFieldRow text(std::string_view name, Field field) {
  return {.name = name, .field = field};
}
constexpr TimelineFieldRow number(std::string_view name, Field field) {
  return {.name = name, .field = field, .is_number = true};
}
constexpr TimelineFieldRow attempt_text(std::string_view name, Field field) {
  return {.name = name, .field = field, .is_of_attempt = true};
}
constexpr TimelineFieldRow attempt_number(std::string_view name, Field field) {
  return {.name = name, .field = field, .is_number = true, .is_of_attempt = true};
}

// In the order of the enum.
constexpr auto rows = std::to_array<TimelineFieldRow>({
    of_any("time", Field::time, false),
    of_any("duration_us", Field::duration_us, true),
    of_any("first_byte_us", Field::first_byte_us, true),
    number("attempts", Field::attempts),
    number("queue_us", Field::queue_us),
    text("balancer", Field::balancer),
    text("ended_by", Field::ended_by),
    text("end_cause", Field::end_cause),
    text("trace_id", Field::trace_id),
    text("span_id", Field::span_id),
    text("parent_id", Field::parent_id),
    number("sampled", Field::sampled),
    attempt_text("member", Field::member),
    attempt_text("route", Field::route),
    attempt_text("address", Field::address),
    attempt_text("reason", Field::reason),
    attempt_text("proof", Field::proof),
    attempt_text("outcome", Field::outcome),
    attempt_number("member_status", Field::member_status),
    attempt_text("connection", Field::connection),
    attempt_number("slot_us", Field::slot_us),
    attempt_number("connect_us", Field::connect_us),
    attempt_number("send_us", Field::send_us),
    attempt_number("wait_us", Field::wait_us),
    attempt_number("relay_us", Field::relay_us),
    attempt_number("attempt_us", Field::attempt_us),
    attempt_text("attempt_span_id", Field::attempt_span_id),
});

void put_text(std::string_view text, EntryText& out) {
  if (text.empty()) {
    out.nothing();
  } else {
    out.outside(text);
  }
}

void put_micros(std::optional<Duration> length, EntryText& out) {
  if (!length) return out.nothing();
  out.number(std::chrono::duration_cast<std::chrono::microseconds>(*length).count());
}

template <std::size_t Digits>
void put_id(std::uint64_t number, EntryText& out) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  std::array<char, Digits> digits;
  for (std::size_t i = Digits; i > 0; number >>= 4U) digits[--i] = hex_digits[number & 15U];
  out.ours({digits.data(), digits.size()});
}

void put_span_id(std::uint64_t id, EntryText& out) {
  if (id == 0) return out.nothing();
  put_id<16>(id, out);
}

void put_trace_id(const Timeline& timeline, EntryText& out) {
  if (!timeline.has_trace()) return out.nothing();
  put_id<16>(timeline.trace_high, out);
  put_id<16>(timeline.trace_low, out);
}

void put_outcome(const Attempt& attempt, EntryText& out) {
  if (!attempt.failed()) return out.ours("answered");
  out.ours(attempt.party);
  out.ours(":");
  out.ours(attempt.cause);
}

// "10.0.0.1:8080" without a string of its own.
void put_endpoint(const std::optional<Endpoint>& endpoint, EntryText& out) {
  if (!endpoint || endpoint->port == 0) return out.nothing();
  std::array<char, 48> text;
  const std::string_view ip(text.data(), endpoint->ip.write(text.data(), text.size()));
  const bool is_v6 = ip.find(':') != std::string_view::npos;
  if (is_v6) out.ours("[");
  out.ours(ip);
  out.ours(is_v6 ? "]:" : ":");
  out.number(endpoint->port);
}

void put_of_attempts(const TimelineChoice& choice, const Timeline& timeline, EntryText& out) {
  const std::vector<Attempt>& attempts = timeline.attempts;
  if (attempts.empty()) return out.nothing();
  if (choice.attempt == TimelineChoice::last)
    return put_attempt_field(choice.field, attempts.back(), out);
  if (choice.attempt != TimelineChoice::all) {
    const auto index = static_cast<std::size_t>(choice.attempt) - 1;
    if (index >= attempts.size()) return out.nothing();
    return put_attempt_field(choice.field, attempts[index], out);
  }
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (i != 0) out.ours(",");
    put_attempt_field(choice.field, attempts[i], out);
  }
}

void put_of_exchange(Field field, const Timeline& timeline, EntryText& out) {
  switch (field) {
    case Field::attempts:
      return out.number(static_cast<std::int64_t>(timeline.attempts.size()));
    case Field::queue_us:
      return put_micros(timeline.queue_time(), out);
    case Field::balancer:
      return put_text(timeline.balancer, out);
    case Field::ended_by:
      return put_text(timeline.ended_by, out);
    case Field::end_cause:
      return put_text(timeline.end_cause, out);
    case Field::trace_id:
      return put_trace_id(timeline, out);
    case Field::span_id:
      return put_span_id(timeline.span, out);
    case Field::parent_id:
      return put_span_id(timeline.parent, out);
    case Field::sampled:
      if (!timeline.has_trace()) return out.nothing();
      return out.number(timeline.sampled ? 1 : 0);
    default:
      return out.nothing();
  }
}

Complaint unknown_field(std::string_view name) {
  std::vector<std::string_view> names;
  for (const TimelineFieldRow& row : rows) names.push_back(row.name);
  const std::string_view near = nearest(name, names);
  std::string advice = suggestion(near);
  if (near.empty()) {
    advice = "write one of";
    for (const std::string_view each : names) advice.append(" ").append(each);
  }
  return {"%{...}^sy has no field called \"" + std::string(name) + '"', std::move(advice)};
}

}  // namespace

std::span<const TimelineFieldRow> timeline_fields() { return rows; }

const TimelineFieldRow& row_of(TimelineField field) {
  return rows[static_cast<std::size_t>(field)];
}

std::expected<TimelineChoice, Complaint> parse_timeline_choice(std::string_view text) {
  TimelineChoice choice;
  const std::size_t colon = text.find(':');
  std::string_view which;
  if (colon != std::string_view::npos) {
    which = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto known = std::ranges::find(rows, text, &TimelineFieldRow::name);
  if (known == rows.end()) return std::unexpected(unknown_field(text));
  choice.field = known->field;
  if (colon == std::string_view::npos) return choice;
  if (!known->is_of_attempt) {
    return std::unexpected(Complaint{"%{" + std::string(which) +
                                         ":...}^sy chooses an attempt, and \"" + std::string(text) +
                                         "\" is the request's",
                                     "write %{" + std::string(text) + "}^sy"});
  }
  const auto number = parse_unsigned(which);
  if (which == "all") {
    choice.attempt = TimelineChoice::all;
  } else if (number && *number >= 1 && *number <= attempt_number_max) {
    choice.attempt = static_cast<int>(*number);
  } else {
    return std::unexpected(Complaint{
        "%{" + std::string(which) + ":...}^sy names no attempt",
        "write 1 for the first attempt, up to 99, or all; without it the last one counts"});
  }
  return choice;
}

void put_attempt_field(TimelineField field, const Attempt& attempt, EntryText& out) {
  switch (field) {
    case Field::member:
      return put_text(attempt.member, out);
    case Field::route:
      return put_text(attempt.route, out);
    case Field::address:
      return put_endpoint(attempt.peer, out);
    case Field::reason:
      return put_text(attempt.reason, out);
    case Field::proof:
      return put_text(attempt.proof, out);
    case Field::outcome:
      return put_outcome(attempt, out);
    case Field::member_status:
      if (attempt.status == 0) return out.nothing();
      return out.number(attempt.status);
    case Field::connection:
      if (attempt.connected_at == Instant{}) return out.nothing();
      return out.ours(attempt.pooled ? "pooled" : "new");
    case Field::slot_us:
      return put_micros(attempt.slot().length(), out);
    case Field::connect_us:
      return put_micros(attempt.connect().length(), out);
    case Field::send_us:
      return put_micros(attempt.send().length(), out);
    case Field::wait_us:
      return put_micros(attempt.wait().length(), out);
    case Field::relay_us:
      return put_micros(attempt.relay().length(), out);
    case Field::attempt_us:
      return put_micros(attempt.ended - attempt.began, out);
    case Field::attempt_span_id:
      return put_span_id(attempt.span, out);
    default:
      return out.nothing();
  }
}

void put_timeline(const TimelineChoice& choice, const Facts& facts, EntryText& out) {
  switch (choice.field) {
    case Field::time:
      return put_utc_time(facts.started(), out);
    case Field::duration_us:
      return put_micros(facts.elapsed(), out);
    case Field::first_byte_us: {
      const std::int64_t micros = facts.number(NumberFact::first_byte_micros);
      return micros < 0 ? out.nothing() : out.number(micros);
    }
    default:
      break;
  }
  const Timeline* const timeline = facts.timeline();
  if (timeline == nullptr) return out.nothing();
  if (row_of(choice.field).is_of_attempt) return put_of_attempts(choice, *timeline, out);
  put_of_exchange(choice.field, *timeline, out);
}

void put_utc_time(WallTime when, EntryText& out) {
  using std::chrono::floor;
  const auto second = floor<std::chrono::seconds>(when);
  const auto day = floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  out.padded(static_cast<int>(date.year()), 4);
  out.ours("-");
  out.padded(static_cast<unsigned>(date.month()), 2);
  out.ours("-");
  out.padded(static_cast<unsigned>(date.day()), 2);
  out.ours("T");
  out.padded(time.hours().count(), 2);
  out.ours(":");
  out.padded(time.minutes().count(), 2);
  out.ours(":");
  out.padded(time.seconds().count(), 2);
  out.ours(".");
  out.padded(floor<std::chrono::microseconds>(when - second).count(), 6);
  out.ours("Z");
}

}  // namespace steelyard::expr
