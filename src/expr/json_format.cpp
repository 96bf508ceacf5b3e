#include "expr/json_format.hpp"

#include <algorithm>
#include <array>

#include "base/json_text.hpp"
#include "base/text.hpp"
#include "expr/suggestion.hpp"
#include "expr/timeline.hpp"

namespace steelyard::expr {

namespace {

using ItemKind = LogItem::Kind;
using Unit = LogItem::Unit;

constexpr auto rows = std::to_array<JsonFieldRow>({
    {"time", "%{time}^sy", true},
    {"server", "%v", true},
    {"server_port", "%{local}p", false},
    {"client", "%a", true},
    {"client_port", "%{remote}p", false},
    {"host", "%{Host}i", true},
    {"request", "%r", false},
    {"method", "%m", true},
    {"path", "%U", true},
    {"query", "%q", true},
    {"protocol", "%H", true},
    {"status", "%>s", true},
    {"received_bytes", "%I", true},
    {"sent_bytes", "%O", true},
    {"body_bytes", "%B", true},
    {"duration_us", "%{duration_us}^sy", true},
    {"first_byte_us", "%{first_byte_us}^sy", true},
    {"queue_us", "%{queue_us}^sy", true},
    {"balancer", "%{balancer}^sy", true},
    {"attempts", "", true},
    {"ended_by", "%{ended_by}^sy", true},
    {"end_cause", "%{end_cause}^sy", true},
    {"referer", "%{Referer}i", true},
    {"user_agent", "%{User-Agent}i", true},
    {"forwarded_for", "%{X-Forwarded-For}i", false},
    {"trace_id", "%{trace_id}^sy", true},
    {"span_id", "%{span_id}^sy", true},
    {"parent_id", "%{parent_id}^sy", false},
    {"sampled", "%{sampled}^sy", false},
    {"log_id", "%L", false},
    {"handler", "%R", false},
});

// What an object of `attempts` has.
constexpr auto attempt_fields = std::to_array<TimelineField>(
    {TimelineField::member, TimelineField::route, TimelineField::address, TimelineField::reason,
     TimelineField::proof, TimelineField::outcome, TimelineField::member_status,
     TimelineField::connection, TimelineField::slot_us, TimelineField::connect_us,
     TimelineField::send_us, TimelineField::wait_us, TimelineField::relay_us,
     TimelineField::attempt_us, TimelineField::attempt_span_id});

bool may_stand_in_name(char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; }

bool prints_number(const LogItem& item) {
  switch (item.kind) {
    case ItemKind::body_bytes:
    case ItemKind::body_bytes_or_dash:
    case ItemKind::bytes_received:
    case ItemKind::bytes_sent:
    case ItemKind::bytes_both:
    case ItemKind::first_byte:
    case ItemKind::keepalive_count:
    case ItemKind::status:
      return true;
    case ItemKind::duration:
    case ItemKind::port:
      return item.unit != Unit::text;
    case ItemKind::process:
      return item.unit == Unit::usual || item.unit == Unit::thread;
    case ItemKind::time:
      return item.unit == Unit::seconds || item.unit == Unit::milliseconds ||
             item.unit == Unit::microseconds;
    case ItemKind::timeline:
      return row_of(item.timeline.field).is_number && item.timeline.attempt >= 0;
    default:
      return false;
  }
}

Complaint unknown_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const JsonFieldRow& row : rows) names.push_back(row.name);
  for (const TimelineFieldRow& row : timeline_fields()) names.push_back(row.name);
  std::string advice = suggestion(nearest(name, names));
  if (!advice.empty())
    advice += " Or write ";
  else
    advice = "Write ";
  advice += "NAME=FORMAT with a format as in LogFormat, such as " + std::string(name) +
            "=%{User-Agent}i.";
  return {"A JSON log has no field called \"" + std::string(name) + '"', std::move(advice)};
}

// What the word says: name and format. A field of %{...}^sy needs no format either.
std::expected<std::pair<std::string_view, std::string>, Complaint> split_word(
    std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  if (name.empty() || !std::ranges::all_of(name, may_stand_in_name)) {
    return std::unexpected(
        Complaint{"\"" + std::string(word) + "\" names no field of a JSON log",
                  "Write NAME or NAME=FORMAT; a name has letters, digits, and the signs _ - ."});
  }
  if (equals != std::string_view::npos)
    return std::pair(name, std::string(word.substr(equals + 1)));
  const auto known = std::ranges::find(rows, name, &JsonFieldRow::name);
  if (known != rows.end()) return std::pair(name, std::string(known->format));
  const auto timed = std::ranges::find(timeline_fields(), name, &TimelineFieldRow::name);
  if (timed == timeline_fields().end()) return std::unexpected(unknown_name(name));
  return std::pair(name, "%{" + std::string(name) + "}^sy");
}

enum class ValueKind : std::uint8_t { text, number };

// `put(EntryText&)` writes what stands in the line then; `may_be_null`: unless it has nothing to
// tell.
void put_value(ValueKind kind, bool may_be_null, std::string& line, const auto& put) {
  const std::size_t begin = line.size();
  if (kind == ValueKind::text) line += '"';
  EntryText out(line, Escapes::json);
  put(out);
  if (may_be_null && !out.told_all()) {
    line.resize(begin);
    line += "null";
  } else if (kind == ValueKind::text) {
    line += '"';
  }
}

void put_attempt(const Attempt& attempt, std::string& line) {
  char separator = '{';
  for (const TimelineField field : attempt_fields) {
    const TimelineFieldRow& row = row_of(field);
    line += separator;
    line.append("\"").append(row.name).append("\":");
    put_value(row.is_number ? ValueKind::number : ValueKind::text, true, line,
              [&](EntryText& out) { put_attempt_field(field, attempt, out); });
    separator = ',';
  }
  line += '}';
}

void put_attempts(const Facts& facts, std::string& line) {
  line += '[';
  if (const Timeline* const timeline = facts.timeline()) {
    bool is_first = true;
    for (const Attempt& attempt : timeline->attempts) {
      if (!is_first) line += ',';
      is_first = false;
      put_attempt(attempt, line);
    }
  }
  line += ']';
}

}  // namespace

std::span<const JsonFieldRow> json_fields() { return rows; }

std::expected<JsonFormat::Field, Complaint> JsonFormat::compile_field(std::string_view word) {
  auto split = split_word(word);
  if (!split) return std::unexpected(std::move(split.error()));
  const auto& [name, format] = *split;
  Field field;
  append_json_string(name, field.key);
  field.key += ':';
  field.word = word;
  if (name == "attempts" && word == name) {
    field.kind = Kind::attempts;
    return field;
  }
  auto compiled = LogFormat::compile(format);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  field.format = std::move(*compiled);
  const std::vector<LogItem>& items = field.format.items();
  field.is_single = items.size() == 1 && items[0].kind != ItemKind::literal;
  if (field.is_single && prints_number(items[0])) field.kind = Kind::number;
  return field;
}

std::expected<JsonFormat, Complaint> JsonFormat::compile(std::span<const std::string> words) {
  JsonFormat compiled;
  const auto add = [&compiled](std::string_view word) -> std::optional<Complaint> {
    auto field = compile_field(word);
    if (!field) return std::move(field.error());
    const auto same = [&](const Field& each) { return each.key == field->key; };
    if (std::ranges::any_of(compiled.fields_, same)) {
      return Complaint{"a JSON object has each name once, and " +
                           field->key.substr(0, field->key.size() - 1) + " is there already",
                       "Leave one of them out, or give it another name."};
    }
    compiled.fields_.push_back(std::move(*field));
    return std::nullopt;
  };
  for (const std::string& word : words) {
    if (auto complaint = add(word)) return std::unexpected(std::move(*complaint));
  }
  if (words.empty()) {
    for (const JsonFieldRow& row : rows) {
      if (row.usual) add(row.name);
    }
  }
  return compiled;
}

void JsonFormat::write(const Facts& facts, std::string& line) const {
  line += '{';
  bool is_first = true;
  for (const Field& field : fields_) {
    if (!is_first) line += ',';
    is_first = false;
    line += field.key;
    if (field.kind == Kind::attempts) {
      put_attempts(facts, line);
      continue;
    }
    put_value(field.kind == Kind::number ? ValueKind::number : ValueKind::text, field.is_single,
              line, [&](EntryText& out) { field.format.write(facts, out); });
  }
  line += '}';
}

bool JsonFormat::asks_timeline() const {
  return std::ranges::any_of(fields_, [](const Field& field) {
    return field.kind == Kind::attempts || field.format.asks_timeline();
  });
}

bool JsonFormat::names_tls() const {
  return std::ranges::any_of(fields_, [](const Field& field) { return field.format.names_tls(); });
}

std::string JsonFormat::describe() const {
  std::string text;
  for (const Field& field : fields_) {
    if (!text.empty()) text += ' ';
    text += field.word.find_first_of(" \"") == std::string::npos ? field.word : quoted(field.word);
  }
  return text;
}

}  // namespace steelyard::expr
