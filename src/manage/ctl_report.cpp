#include "manage/ctl_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "manage/kept_changes.hpp"
#include "manage/printable.hpp"
#include "manage/top_screen.hpp"

namespace steelyard::manage {

namespace {

using json = nlohmann::ordered_json;

// What a server of another version might leave out is empty, not a failure.
std::string text_of(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (found->is_string()) return printable(found->get_ref<const std::string&>());
  if (found->is_number_float()) return fmt::format("{:g}", found->get<double>());
  return found->dump(-1, ' ', false, json::error_handler_t::replace);
}

const json& part_of(const json& object, const char* key) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

bool holds(const json& list, std::string_view word) {
  return list.is_array() && std::ranges::any_of(list, [word](const json& one) {
           return one.is_string() && one.get_ref<const std::string&>() == word;
         });
}

// Of a reason in a line of a list; --json tells all of it.
constexpr std::size_t reason_bytes_max = 200;

// A character is not cut in two.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  return text.erase(most) + "...";
}

constexpr std::size_t column_count = 12;
using Row = std::array<std::string, column_count>;

std::string sessions_text(const json& sessions, const char* window) {
  std::string text = text_of(sessions, window);
  if (text.empty()) return "-";
  if (holds(part_of(sessions, "at_least"), window)) return text + '+';
  return holds(part_of(sessions, "partial"), window) ? text + '*' : text;
}

std::string why_text(const json& member) {
  std::string why = text_of(member, "reason");
  const auto add = [&why](const std::string& more) { why += (why.empty() ? "" : "; ") + more; };
  if (const std::string ends = text_of(member, "error_ends"); !ends.empty())
    add("in error until " + ends);
  if (text_of(member, "on_trial") == "true") add("on trial");
  const json& drain = part_of(member, "drain");
  if (text_of(drain, "state") == "under_way") add("draining " + text_of(drain, "order"));
  return why;
}

Row row_of(const json& member) {
  const json& sessions = part_of(member, "sessions");
  const std::string route = text_of(member, "route");
  return {
      text_of(member, "balancer"),    text_of(member, "member"),      route.empty() ? "-" : route,
      text_of(member, "status"),      text_of(member, "factor"),      text_of(member, "busy"),
      text_of(member, "elected"),     sessions_text(sessions, "1m"),  sessions_text(sessions, "5m"),
      sessions_text(sessions, "15m"), sessions_text(sessions, "60m"), why_text(member)};
}

std::string table_of(const json& members) {
  std::vector<Row> rows{{"BALANCER", "MEMBER", "ROUTE", "STATUS", "FACTOR", "BUSY", "ELECTED", "1m",
                         "5m", "15m", "60m", "WHY"}};
  if (members.is_array()) {
    for (const json& member : members) rows.push_back(row_of(member));
  }
  std::array<std::size_t, column_count> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < column_count; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < column_count; ++i)
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + '\n';
  }
  return table;
}

// What keeps changes from being made or shared stands above the members, as on the pages.
std::string troubles_of(const json& troubles) {
  std::string text;
  if (!troubles.is_array()) return text;
  for (const json& each : troubles) {
    if (each.is_string()) text += printable(each.get_ref<const std::string&>()) + '\n';
  }
  return text.empty() ? text : text + '\n';
}

std::string history_of(const json& events) {
  std::string text;
  if (!events.is_array()) return text;
  for (const json& event : events) {
    const std::string at = text_of(event, "at");
    const std::string evidence = text_of(event, "evidence");
    const std::string status = text_of(event, "answer_status");
    text += fmt::format("{}  {} -> {}  {}", at.empty() ? "(at the start)" : at,
                        text_of(event, "before"), text_of(event, "after"), text_of(event, "cause"));
    if (!evidence.empty()) text += ": " + evidence;
    if (status != "0" && !status.empty()) text += " (status " + status + ')';
    const json& latency = part_of(event, "latency_us");
    if (latency.is_number() && latency != 0)
      text += fmt::format(" after {:.3g} ms", latency.get<double>() / 1000);
    const std::string times = text_of(event, "times");
    if (times != "1" && !times.empty())
      text += fmt::format("  [{} times since {}]", times, text_of(event, "first"));
    text += '\n';
  }
  return text.empty() ? "nothing happened so far\n" : text;
}

std::string member_line(const json& member) {
  std::string line = fmt::format("{} in {}: {}", text_of(member, "member"),
                                 text_of(member, "balancer"), text_of(member, "status"));
  const std::string why = why_text(member);
  if (!why.empty()) line += " (" + why + ')';
  return line + '\n';
}

// `why`: empty, or why nothing changed.
std::string changed_of(const json& changes, const std::string& why) {
  std::string text;
  if (!changes.is_array()) return text;
  for (const json& change : changes) {
    const std::string member = text_of(change, "member");
    text +=
        fmt::format("{}{}{}: \"{}\" -> \"{}\"\n", member, member.empty() ? "" : " ",
                    text_of(change, "field"), text_of(change, "before"), text_of(change, "after"));
  }
  if (!text.empty()) return text;
  return "nothing changed: " + (why.empty() ? "it was so already" : why) + '\n';
}

std::string changes_of(const json& changes) {
  std::string text;
  if (!changes.is_array()) return text;
  for (const json& change : changes) {
    const std::string member = text_of(change, "member");
    const std::string field = text_of(change, "field");
    text += fmt::format("{:>6}  {}  {}{}{}", text_of(change, "id"), text_of(change, "at"),
                        text_of(change, "balancer"), member.empty() ? "" : " ", member);
    if (const std::string kind = text_of(change, "kind"); kind != "change") text += "  " + kind;
    if (const std::string undone = text_of(change, "undoes"); !undone.empty())
      text += " of " + undone;
    if (!field.empty())
      text += fmt::format("  {}: \"{}\" -> \"{}\"", field, text_of(change, "before"),
                          text_of(change, "after"));
    const std::string who = text_of(change, "who");
    const std::string from = text_of(change, "from");
    text += fmt::format("  by {}{}{}", who, who.empty() || from.empty() ? "" : ", ", from);
    if (const std::string why = text_of(change, "reason"); !why.empty())
      text += ": " + shortened(why, reason_bytes_max);
    text += '\n';
  }
  if (changes.size() >= history_rows)
    text += "earlier ones: steelyard ctl changes --before " + text_of(changes.back(), "id") + '\n';
  return text.empty() ? "nobody changed anything\n" : text;
}

std::string generations_of(const json& generations) {
  std::string text;
  if (!generations.is_array()) return text;
  for (const json& each : generations)
    text += fmt::format("{:>6}  {}\n", text_of(each, "number"), text_of(each, "loaded"));
  return text;
}

// "main balancer://app http://m1:8080 status"
std::string field_name(const json& field) {
  std::string name = text_of(field, "scope");
  for (const char* part : {"balancer", "member", "field"}) {
    if (const std::string text = text_of(field, part); !text.empty()) name += ' ' + text;
  }
  return name;
}

std::string value_of(const json& field, const char* key) {
  return part_of(field, key).is_null() ? "as configured" : '"' + text_of(field, key) + '"';
}

template <class Line>
std::string list_of(std::string_view title, const json& list, Line line) {
  if (!list.is_array() || list.empty()) return {};
  std::string text = fmt::format("{}\n", title);
  for (const json& each : list) text += "  " + line(each) + '\n';
  return text;
}

// One line a field of an order.
template <class Line>
std::string fields_of(const json& order, Line line) {
  std::string text = text_of(order, "at");
  const json& fields = part_of(order, "fields");
  if (!fields.is_array()) return text;
  for (const json& field : fields) text += "  " + field_name(field) + ": " + line(field);
  return text;
}

std::string cluster_of(const json& cluster) {
  const json& connected = part_of(cluster, "connected");
  const bool is_connected = connected.is_boolean() && connected.get<bool>();
  std::string text = text_of(cluster, "store") + '\n';
  if (is_connected) {
    text += fmt::format("connected to {} since {}, revision {}, {} behind, {} fields are changed\n",
                        text_of(cluster, "address"), text_of(cluster, "since"),
                        text_of(cluster, "revision"), text_of(cluster, "behind"),
                        text_of(cluster, "fields"));
  } else {
    text +=
        fmt::format("NOT connected{}{}: {}\n", text_of(cluster, "since").empty() ? "" : " since ",
                    text_of(cluster, "since"), text_of(cluster, "why"));
  }
  if (const std::string back = text_of(cluster, "wentback"); !back.empty())
    text += "WARNING: " + back + '\n';
  text += list_of("instances:", part_of(cluster, "instances"), [](const json& each) {
    const json& self = part_of(each, "self");
    const bool is_self = self.is_boolean() && self.get<bool>();
    return fmt::format("{}  {}  since {}{}", text_of(each, "name"), text_of(each, "version"),
                       text_of(each, "since"), is_self ? "  (this one)" : "");
  });
  text += list_of("not shared yet:", part_of(cluster, "unshared"), [](const json& order) {
    return fields_of(order, [](const json& field) { return value_of(field, "value"); });
  });
  text += list_of("lost:", part_of(cluster, "superseded"), [](const json& order) {
    return fields_of(order,
                     [](const json& field) {
                       return fmt::format("{} here, {} counts", value_of(field, "ours"),
                                          value_of(field, "counts"));
                     }) +
           "  (" + text_of(order, "why") + ')';
  });
  text += list_of("left out here:", part_of(cluster, "ignored"), [](const json& each) {
    const std::string key = text_of(each, "key");
    return (key.empty() ? field_name(each) : key) + ": " + text_of(each, "why");
  });
  return text;
}

// The configuration's own text: it may have several lines, and nothing else that steers.
std::string lines_of(const json& answer) {
  const json& text = part_of(answer, "text");
  if (!text.is_string()) return {};
  std::string lines;
  for (const std::string_view line : split(text.get_ref<const std::string&>(), '\n'))
    lines += printable(line) + '\n';
  if (lines.ends_with("\n\n")) lines.pop_back();
  return lines;
}

CtlReport report_failure(const json& answer) {
  CtlReport report{.exit = text_of(answer, "kind") == "usage" ? CtlExit::usage : CtlExit::failed,
                   .complaint = "steelyard ctl: " + text_of(answer, "error") + '\n'};
  const json& choices = part_of(answer, "choices");
  if (!choices.is_array() || choices.empty()) return report;
  report.complaint += "There is:\n";
  for (const json& choice : choices) {
    if (!choice.is_string()) continue;
    report.complaint += "  " + printable(choice.get_ref<const std::string&>()) + '\n';
  }
  return report;
}

CtlReport report_wait(const json& answer) {
  const std::string state = text_of(answer, "state");
  const std::string outcome = text_of(answer, "outcome");
  if (state == "drained") return {.out = "drained: " + outcome + '\n'};
  if (state == "deadline_passed")
    return {.exit = CtlExit::deadline_passed, .out = "stopped: " + outcome + '\n'};
  if (state == "timed_out")
    return {.exit = CtlExit::timed_out, .out = "timed out: " + outcome + '\n'};
  return {.exit = CtlExit::cancelled, .out = "cancelled: " + outcome + '\n'};
}

CtlReport report_success(const json& answer, std::string_view text) {
  if (answer.contains("rows")) return {.out = top_table(text)};
  if (answer.contains("members"))
    return {.out = troubles_of(part_of(answer, "troubles")) + table_of(answer["members"])};
  if (answer.contains("events")) return {.out = history_of(answer["events"])};
  if (answer.contains("changed"))
    return {.out = changed_of(answer["changed"], text_of(answer, "why"))};
  if (answer.contains("changes")) return {.out = changes_of(answer["changes"])};
  if (answer.contains("generations")) return {.out = generations_of(answer["generations"])};
  if (answer.contains("cluster")) return {.out = cluster_of(answer["cluster"])};
  if (answer.contains("text")) return {.out = lines_of(answer)};
  if (answer.contains("state")) return report_wait(answer);
  return {.out = member_line(part_of(answer, "member"))};
}

}  // namespace

CtlReport report_answer(const CtlWords& words, std::string_view answer) {
  const json object = json::parse(answer, nullptr, false);
  if (object.is_discarded() || !object.is_object()) {
    return {.exit = CtlExit::failed,
            .complaint = "steelyard ctl: what answered there is no steelyard\n"};
  }
  const json& ok = part_of(object, "ok");
  CtlReport report =
      ok.is_boolean() && ok.get<bool>() ? report_success(object, answer) : report_failure(object);
  if (words.as_json) report.out = std::string(answer) + '\n';
  return report;
}

}  // namespace steelyard::manage
