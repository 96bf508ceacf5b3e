#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.hpp"
#include "expr/table_facts.hpp"
#include "rewrite/engine.hpp"
#include "rewrite/line_reader.hpp"

// A request made of tables, and rules made of lines, for tests and fuzzing. Threads: one owner.

namespace steelyard::rewrite {

class TableSubject final : public Subject {
 public:
  expr::TableFacts table;
  std::optional<std::string_view> asked;  // the query
  std::map<std::string, std::map<std::string, std::string>> maps;
  std::string own_host = "lb.test";
  std::vector<std::string> cookies, complaints, traces_seen;
  std::string vary, text;
  int traced = 0;  // up to this level

  const expr::Facts& facts() const override { return table; }
  std::string_view origin() override { return "http://lb.test"; }
  bool is_own_address(std::string_view host, std::uint16_t port) const override {
    return host == own_host && port == 80;
  }
  std::optional<std::string_view> look_up(std::string_view map, std::string_view key) override {
    const auto known = maps.find(std::string(map));
    if (known == maps.end()) return std::nullopt;
    const auto found = known->second.find(std::string(key));
    return found == known->second.end() ? std::nullopt
                                        : std::optional(std::string_view(found->second));
  }
  void set_text(std::string_view now) override { text = now; }
  void set_query(std::optional<std::string_view> now) override {
    asked.reset();
    if (now) asked = kept_.emplace_back(*now);
  }
  std::optional<std::string_view> query() const override { return asked; }
  void set_variable(std::string_view name, std::string_view value) override {
    unset_variable(name);
    table.variables.emplace_back(name, value);
  }
  void unset_variable(std::string_view name) override {
    std::erase_if(table.variables, [name](const auto& row) { return row.first == name; });
  }
  bool add_cookie(std::string_view name, std::string_view line) override {
    if (!cookie_names_.emplace(name, true).second) return false;
    cookies.emplace_back(line);
    return true;
  }
  void vary_by(std::string_view names) override {
    vary += (vary.empty() ? "" : ", ") + std::string(names);
  }
  bool traces(int level) const override { return level <= traced; }
  void trace(int level, std::string_view said) override {
    traces_seen.push_back(std::to_string(level) + ' ' + std::string(said));
  }
  void complain(std::string_view said) override { complaints.emplace_back(said); }

 private:
  std::deque<std::string> kept_;  // so that views of queries live on
  std::map<std::string, bool, std::less<>> cookie_names_;
};

// Lines of "RewriteCond ..." and "RewriteRule ...", or without these words: a line that begins with
// '?' is a condition. The first complaint ends it.
inline std::expected<RuleSet, std::string> rules_from(const std::vector<std::string>& lines) {
  RuleSet set;
  set.engine = true;
  std::vector<std::string> remarks;
  std::vector<RuleCondition> conditions;
  for (const std::string& line : lines) {
    if (line.starts_with('?')) {
      auto condition = read_condition(std::string_view(line).substr(1), remarks);
      if (!condition) return std::unexpected(condition.error().text);
      conditions.push_back(std::move(*condition));
      continue;
    }
    auto rule = read_rule(line, remarks);
    if (!rule) return std::unexpected(rule.error().text);
    rule->conditions = std::exchange(conditions, {});
    set.rules.push_back(std::make_shared<const Rule>(std::move(*rule)));
  }
  return set;
}

}  // namespace steelyard::rewrite
