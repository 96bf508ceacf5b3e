#include "manage/top_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "manage/control_answers.hpp"
#include "manage/printable.hpp"

namespace steelyard::manage {

namespace {

using json = nlohmann::ordered_json;

struct Column {
  std::string_view title;
  bool is_number;
};
constexpr auto columns = std::to_array<Column>({{"BALANCER", false},
                                                {"MEMBER", false},
                                                {"STATE", false},
                                                {"SHARE", true},
                                                {"FAIR", true},
                                                {"REQ/S", true},
                                                {"FLIGHT", true},
                                                {"ERR/MIN", true},
                                                {"P50ms", true},
                                                {"P99ms", true},
                                                {"TO/S", true},
                                                {"FROM/S", true},
                                                {"USED", true},
                                                {"IDLE", true},
                                                {"WEIGHT", true},
                                                {"SET", true},
                                                {"CHECK", true},
                                                {"WHY", false}});
constexpr std::size_t column_count = columns.size();
// Cells are no wider than this, so that one long name leaves room for numbers.
constexpr std::size_t name_width_max = 40;

struct Cell {
  std::string text = "-";
  std::optional<double> number{};
};

struct Row {
  std::array<Cell, column_count> cells{};
  std::string tone{};
  std::size_t place = 0;  // in the answer
};

std::optional<double> number_in(const json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string text_in(const json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_string()) return {};
  return printable(found->get_ref<const std::string&>());
}

Cell text_cell(std::string text) { return {.text = text.empty() ? "-" : std::move(text)}; }

template <class Text>
Cell number_cell(std::optional<double> number, Text text_of) {
  if (!number) return {};
  return {.text = text_of(*number), .number = number};
}

std::string short_number(double number) {
  if (number == 0 || number >= 100) return fmt::format("{:.0f}", number);
  return fmt::format("{:.{}f}", number, number >= 10 ? 1 : 2);
}

std::string short_bytes(double bytes) {
  constexpr std::string_view units = " KMGT";
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  if (unit == 0) return fmt::format("{:.0f}", bytes);
  return fmt::format("{:.{}f}{}", bytes, bytes >= 100 ? 0 : 1, units[unit]);
}

std::string whole(double number) { return fmt::format("{:.0f}", number); }
std::string as_written(double number) { return fmt::format("{:g}", number); }
std::string percent(double part) { return fmt::format("{:.0f}%", part * 100); }

// Until the next check, in seconds; "failed" where the last one did.
Cell check_cell(const json& row, double now) {
  const auto found = row.find("check");
  if (found == row.end() || !found->is_object()) return {};
  const auto next = number_in(*found, "next");
  const double seconds = next ? std::max(0.0, std::round((*next - now) / 1000)) : 0;
  const auto passed = found->find("passed");
  const bool has_failed = passed != found->end() && passed->is_boolean() && !passed->get<bool>();
  std::string text = has_failed ? "failed" : "";
  if (next) text += fmt::format("{}{:.0f}s", has_failed ? " " : "", seconds);
  return {.text = text.empty() ? "ok" : text, .number = next ? std::optional(seconds) : 0};
}

Row row_of(const json& object, double now) {
  const auto plain = [&object](const char* key) {
    return number_cell(number_in(object, key), short_number);
  };
  const auto count = [&object](const char* key) {
    return number_cell(number_in(object, key), whole);
  };
  const auto bytes = [&object](const char* key) {
    return number_cell(number_in(object, key), short_bytes);
  };
  std::string balancer = text_in(object, "balancer");
  if (balancer.starts_with("balancer://"))
    balancer.erase(0, std::string_view("balancer://").size());
  const auto open = number_in(object, "open"), idle = number_in(object, "idle");
  const auto used = open && idle ? std::optional(std::max(0.0, *open - *idle)) : std::nullopt;
  return {.cells = {text_cell(std::move(balancer)), text_cell(text_in(object, "member")),
                    text_cell(text_in(object, "state")),
                    number_cell(number_in(object, "share"), percent),
                    number_cell(number_in(object, "expected"), percent), plain("rate"),
                    count("in_flight"), count("error_count"), plain("p50"), plain("p99"),
                    bytes("sent"), bytes("received"), number_cell(used, whole), count("idle"),
                    number_cell(number_in(object, "weight"), as_written), count("lbset"),
                    check_cell(object, now), text_cell(text_in(object, "reason"))},
          .tone = text_in(object, "tone")};
}

struct Table {
  std::vector<Row> members;
  double now = 0;  // milliseconds since 1970
  double rate = 0, in_flight = 0, errors = 0;
  std::size_t serving = 0;
  std::vector<std::string> troubles;  // of changes: the journal's, the cluster's
};

Table read_table(std::string_view answer) {
  Table table;
  const json object = json::parse(answer, nullptr, false);
  if (!object.is_object()) return table;
  table.now = number_in(object, "at").value_or(0);
  if (const auto told = object.find("troubles"); told != object.end() && told->is_array()) {
    for (const json& trouble : *told)
      if (trouble.is_string()) table.troubles.push_back(trouble.get<std::string>());
  }
  const auto rows = object.find("rows");
  if (rows == object.end() || !rows->is_array()) return table;
  for (const json& row : *rows) {
    if (!row.is_object()) continue;
    if (text_in(row, "kind") == "balancer") {
      table.rate += number_in(row, "rate").value_or(0);
      table.errors += number_in(row, "error_count").value_or(0);
      continue;
    }
    table.in_flight += number_in(row, "in_flight").value_or(0);
    table.members.push_back(row_of(row, table.now));
    table.members.back().place = table.members.size();
    if (table.members.back().tone == "good") ++table.serving;
  }
  return table;
}

// What is no number comes last, whichever way.
void sort_rows(std::vector<Row>& rows, std::size_t column, bool descending) {
  const auto before = [column, descending](const Row& a, const Row& b) {
    const Cell& x = a.cells[column];
    const Cell& y = b.cells[column];
    if (!columns[column].is_number && x.text != y.text)
      return descending ? y.text < x.text : x.text < y.text;
    if (x.number.has_value() != y.number.has_value()) return x.number.has_value();
    if (x.number != y.number) return descending ? *y.number < *x.number : *x.number < *y.number;
    return a.place < b.place;
  };
  std::ranges::sort(rows, before);
}

// Characters, as far as UTF-8 tells; a terminal shows most of them in one place.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cut(std::string_view text, std::size_t width) {
  std::size_t seen = 0, end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (begins && ++seen > width) break;
  }
  return std::string(text.substr(0, end));
}

std::array<std::size_t, column_count> widths_of(const std::vector<Row>& rows) {
  std::array<std::size_t, column_count> widths{};
  for (std::size_t i = 0; i < column_count; ++i) {
    widths[i] = columns[i].title.size();
    for (const Row& row : rows) widths[i] = std::max(widths[i], width_of(row.cells[i].text));
    const bool is_last = i + 1 == column_count;
    if (!columns[i].is_number && !is_last) widths[i] = std::min(widths[i], name_width_max);
  }
  return widths;
}

std::string padded(std::string_view text, std::size_t width, bool is_number) {
  const std::string shown = cut(text, width);
  const std::string blanks(width - width_of(shown), ' ');
  return is_number ? blanks + shown : shown + blanks;
}

template <class TextOf>
std::string line_of(const std::array<std::size_t, column_count>& widths, TextOf text_of) {
  std::string line;
  for (std::size_t i = 0; i < column_count; ++i)
    line += padded(text_of(i), widths[i], columns[i].is_number) + "  ";
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string_view colour_of(std::string_view tone) {
  if (tone == "bad") return "\x1b[31m";
  if (tone == "warn") return "\x1b[33m";
  if (tone == "off") return "\x1b[2m";
  return {};
}

std::string head_line(const Table& table, const TopView& view, std::string_view fault) {
  const auto seconds = std::chrono::milliseconds(static_cast<std::int64_t>(table.now));
  std::string line = fmt::format(
      "steelyard top  {}  {} of {} members in service, {} requests/s, {} in flight, {} errors/min",
      table.now == 0 ? "-" : Moment::text_of(WallTime(seconds)), table.serving,
      table.members.size(), short_number(table.rate), whole(table.in_flight), whole(table.errors));
  if (view.paused) line += "  PAUSED";
  if (!fault.empty()) line += "  " + printable(fault);
  return line;
}

std::string title_line(const std::array<std::size_t, column_count>& widths, const TopView& view) {
  std::array<std::size_t, column_count> room = widths;
  return line_of(room, [&view](std::size_t i) {
    return i == view.sort ? fmt::format("{}{}", columns[i].title, view.descending ? 'v' : '^')
                          : std::string(columns[i].title);
  });
}

}  // namespace

TopView::Pressed TopView::press(std::string_view keys) {
  const std::size_t page = height > 4 ? height - 4 : 1;
  const auto sort_by = [this](std::size_t column) {
    sort = column % column_count;
    descending = columns[sort].is_number;
    return Pressed::view;
  };
  const auto scroll = [this](std::size_t to) {
    first = to;
    return Pressed::view;
  };
  if (keys == "q" || keys == "Q" || keys == "\x03" || keys == "\x04") return Pressed::quit;
  if (keys == ">" || keys == "." || keys == "\x1b[C") return sort_by(sort + 1);
  if (keys == "<" || keys == "," || keys == "\x1b[D") return sort_by(sort + column_count - 1);
  if (keys == "\x1b[B" || keys == "j") return scroll(first + 1);
  if (keys == "\x1b[A" || keys == "k") return scroll(first - std::min<std::size_t>(first, 1));
  if (keys == "\x1b[6~") return scroll(first + page);
  if (keys == "\x1b[5~") return scroll(first - std::min(first, page));
  if (keys == "r") {
    descending = !descending;
    return Pressed::view;
  }
  if (keys == "p" || keys == " ") {
    paused = !paused;
    return Pressed::view;
  }
  return Pressed::nothing;
}

std::vector<std::string> top_screen(std::string_view answer, TopView& view,
                                    std::string_view fault) {
  Table table = read_table(answer);
  sort_rows(table.members, view.sort, view.descending);
  auto widths = widths_of(table.members);
  widths[view.sort] = std::max(widths[view.sort], columns[view.sort].title.size() + 1);
  const std::size_t other_lines = 3 + table.troubles.size();  // head, titles, keys
  const std::size_t room = view.height > other_lines ? view.height - other_lines : 1;
  const std::size_t rows = table.members.size();
  view.first = std::min(view.first, rows > room ? rows - room : 0);
  const std::size_t end = view.height == 0 ? rows : std::min(rows, view.first + room);
  const auto fitted = [&view](std::string_view line) {
    return view.width == 0 ? std::string(line) : cut(line, view.width);
  };
  const auto emphasised = [&view, &fitted](std::string_view line, std::string_view how) {
    if (!view.has_colours || how.empty()) return fitted(line);
    return std::string(how) + fitted(line) + "\x1b[0m";
  };
  std::vector<std::string> lines{fitted(head_line(table, view, fault))};
  for (const std::string& trouble : table.troubles)
    lines.push_back(emphasised(printable(trouble), colour_of("bad")));
  lines.push_back(emphasised(title_line(widths, view), "\x1b[7m"));
  for (std::size_t i = view.first; i < end; ++i) {
    const Row& row = table.members[i];
    lines.push_back(emphasised(
        line_of(widths,
                [&row](std::size_t at) -> const std::string& { return row.cells[at].text; }),
        colour_of(row.tone)));
  }
  while (view.height > other_lines && lines.size() + 1 < view.height) lines.emplace_back();
  const std::string shown =
      rows > room ? fmt::format("  rows {}-{} of {}", view.first + 1, end, rows) : std::string();
  lines.push_back(fitted("q quit  < > sort  r reverse  p pause  arrows scroll" + shown));
  return lines;
}

std::string top_table(std::string_view answer) {
  Table table = read_table(answer);
  const auto widths = widths_of(table.members);
  std::string text =
      line_of(widths, [](std::size_t i) { return std::string(columns[i].title); }) + '\n';
  for (const Row& row : table.members) {
    text += line_of(widths,
                    [&row](std::size_t at) -> const std::string& { return row.cells[at].text; }) +
            '\n';
  }
  return text;
}

}  // namespace steelyard::manage
