#include "expr/env_rule.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "expr/group_text.hpp"

namespace steelyard::expr {
namespace {

std::string_view directive_name(EnvDirective directive) {
  switch (directive) {
    case EnvDirective::set_env_if:
      return "SetEnvIf";
    case EnvDirective::set_env_if_no_case:
      return "SetEnvIfNoCase";
    case EnvDirective::browser_match:
      return "BrowserMatch";
    case EnvDirective::browser_match_no_case:
      return "BrowserMatchNoCase";
    case EnvDirective::set_env_if_expr:
      return "SetEnvIfExpr";
  }
  return {};
}

bool ignores_case(EnvDirective directive) {
  return directive == EnvDirective::set_env_if_no_case ||
         directive == EnvDirective::browser_match_no_case;
}

bool names_attribute(EnvDirective directive) {
  return directive == EnvDirective::set_env_if || directive == EnvDirective::set_env_if_no_case;
}

// httpd: anything beyond these makes the name a pattern over header names.
bool is_name_char(char c) { return is_alnum(c) || c == '-' || c == '_'; }

bool is_special(char c) { return std::string_view("\\^$.|?*+()[]{}").find(c) != std::string::npos; }

// httpd: a pattern without special characters, or with escaped ones only, is searched as text.
std::optional<std::string> as_literal(std::string_view pattern) {
  std::string literal;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool is_escaped = pattern[i] == '\\';
    if (is_escaped && ++i == pattern.size()) break;
    if (is_special(pattern[i]) != is_escaped) return std::nullopt;
    literal += pattern[i];
  }
  return literal;
}

std::string_view with_groups(std::string_view value, const RegexMatch& match, Arena& arena) {
  if (value.find_first_of("$\\") == std::string_view::npos) return value;
  ArenaText text(arena, value.size() + match.groups[0].size());
  append_with_groups(value, match, text);
  return text.finish();
}

std::unexpected<Complaint> refused(std::string text, std::string advice) {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

}  // namespace

std::expected<EnvCondition, Complaint> EnvCondition::parse(std::string_view text) {
  constexpr std::string_view prefix = "env=";
  if (!starts_with_ignoring_case(text, prefix)) {
    return refused("error in condition clause", "write env=NAME or env=!NAME");
  }
  EnvCondition condition;
  std::string_view name = text.substr(prefix.size());
  if (name.starts_with('!')) {
    condition.wants_absence = true;
    name.remove_prefix(1);
  }
  if (name.empty()) {
    return refused("missing environment variable name", "write env=NAME or env=!NAME");
  }
  condition.name = name;
  return condition;
}

std::expected<EnvRule, Complaint> EnvRule::parse(EnvDirective directive,
                                                 std::span<const std::string> words) {
  EnvRule rule;
  const auto outcome = directive == EnvDirective::set_env_if_expr
                           ? rule.read_condition(words)
                           : rule.read_pattern(directive, words);
  if (!outcome) return std::unexpected(outcome.error());
  if (words.empty() || words[0].empty()) {
    const bool is_expression = rule.condition_.has_value();
    return refused("Missing envariable expression for " + std::string(directive_name(directive)),
                   std::string("add NAME, NAME=value or !NAME behind the ") +
                       (is_expression ? "expression" : "pattern"));
  }
  for (const std::string& word : words) rule.add_change(word);
  return rule;
}

std::expected<void, Complaint> EnvRule::read_condition(std::span<const std::string>& words) {
  if (words.empty() || words[0].empty()) {
    return refused("Missing expression for SetEnvIfExpr",
                   "write SetEnvIfExpr \"%{REQUEST_URI} =~ /x/\" NAME[=value]");
  }
  auto condition = Condition::compile(words[0]);
  if (!condition) {
    return refused("Could not parse expression \"" + words[0] + "\": " + condition.error().text,
                   condition.error().advice);
  }
  condition_ = std::move(*condition);
  words = words.subspan(1);
  return {};
}

std::expected<void, Complaint> EnvRule::read_pattern(EnvDirective directive,
                                                     std::span<const std::string>& words) {
  const std::string name(directive_name(directive));
  if (names_attribute(directive)) {
    const std::string form = "write " + name + " Attribute pattern NAME[=value]";
    if (words.empty() || words[0].empty()) {
      return refused("Missing header-field name for " + name, form);
    }
    if (!set_attribute(words[0])) {
      return refused("SetEnvIfHeader name regex could not be compiled.",
                     "'" + words[0] + "' is taken as a pattern because of its special characters");
    }
    words = words.subspan(1);
  } else {
    set_attribute("User-Agent");
  }
  if (words.empty() || words[0].empty()) {
    return refused("Missing regular expression for " + name,
                   "use \"^$\" for an empty value, \".\" for any other");
  }
  const RegexCase letters = ignores_case(directive) ? RegexCase::insensitive : RegexCase::sensitive;
  if (!set_pattern(words[0], letters)) {
    return refused(name + " regex could not be compiled.", "check '" + words[0] + "'");
  }
  words = words.subspan(1);
  return {};
}

bool EnvRule::set_attribute(std::string_view name) {
  static constexpr std::pair<std::string_view, Attribute> known[] = {
      {"remote_host", Attribute::remote_host},
      {"remote_addr", Attribute::remote_addr},
      {"server_addr", Attribute::server_addr},
      {"request_method", Attribute::request_method},
      {"request_protocol", Attribute::request_protocol},
      {"request_uri", Attribute::request_uri},
  };
  for (const auto& [text, attribute] : known) {
    if (equals_ignoring_case(name, text)) attribute_ = attribute;
  }
  attribute_name_ = name;
  if (attribute_ != Attribute::header) return true;
  if (std::ranges::all_of(name, is_name_char)) return true;
  auto regex = Regex::compile(name, RegexCase::insensitive);
  if (!regex) return false;
  attribute_ = Attribute::header_pattern;
  attribute_regex_ = std::move(*regex);
  return true;
}

bool EnvRule::set_pattern(std::string_view text, RegexCase letters) {
  letters_ = letters;
  if (auto literal = as_literal(text)) {
    literal_ = std::move(*literal);
    return true;
  }
  auto regex = Regex::compile(text, letters);
  if (!regex) return false;
  regex_ = std::move(*regex);
  return true;
}

void EnvRule::add_change(std::string_view word) {
  Change change;
  if (word.starts_with('!')) {
    change.unsets = true;
    change.name = word.substr(1);
  } else {
    const std::size_t equals = std::min(word.find('='), word.size());
    change.name = word.substr(0, equals);
    change.value = word.substr(std::min(equals + 1, word.size()));
    if (change.value.empty()) change.value = "1";  // httpd: also for `NAME=`
  }
  changes_.push_back(std::move(change));
}

bool EnvRule::reads_as(const EnvRule& other) const {
  return attribute_ == other.attribute_ &&
         equals_ignoring_case(attribute_name_, other.attribute_name_);
}

std::string_view EnvRule::read(const Facts& facts, const Environment& environment) const {
  switch (attribute_) {
    case Attribute::remote_host: {
      const std::string_view host = facts.text(TextFact::client_host);
      return host.empty() ? facts.text(TextFact::client_ip) : host;
    }
    case Attribute::remote_addr:
      return facts.text(TextFact::client_ip);
    case Attribute::server_addr:
      return facts.text(TextFact::local_ip);
    case Attribute::request_method:
      return facts.text(TextFact::method);
    case Attribute::request_protocol:
      return facts.text(TextFact::protocol);
    case Attribute::request_uri:
      return facts.text(TextFact::path);
    case Attribute::header: {
      const std::optional<std::string_view> field = facts.request_header(attribute_name_);
      return field ? *field : environment.find(attribute_name_).value_or("");
    }
    case Attribute::header_pattern:
      break;
  }
  for (std::size_t i = facts.request_header_count(); i > 0; --i) {
    if (attribute_regex_->search(facts.request_header_name(i - 1))) {
      return facts.request_header_value(i - 1);
    }
  }
  return {};
}

bool EnvRule::matches(std::string_view value, RegexMatch& match) const {
  if (regex_) {
    RegexMatch found;
    if (!regex_->search(value, found)) return false;
    match = found;
    return true;
  }
  if (letters_ == RegexCase::insensitive) {
    return find_ignoring_case(value, literal_) != std::string_view::npos;
  }
  return value.find(literal_) != std::string_view::npos;
}

// Without a match there are no groups: the value is taken as it stands.
void EnvRule::change(const RegexMatch& match, Environment& environment, Arena& arena) const {
  const bool has_groups = regex_.has_value() || (condition_.has_value() && match.count > 0);
  for (const Change& each : changes_) {
    if (each.unsets) {
      environment.unset(each.name);
    } else if (has_groups) {
      environment.set(each.name, with_groups(each.value, match, arena));
    } else {
      environment.set(each.name, each.value);
    }
  }
}

void apply(std::span<const EnvRule> rules, const Facts& facts, Environment& environment,
           Arena& arena, Remarks* remarks) {
  const EnvRule* last = nullptr;
  std::string_view value;
  RegexMatch match;
  for (const EnvRule& rule : rules) {
    if (rule.condition_) {
      Evaluation evaluation{facts, arena, match};
      const bool holds = rule.condition_->evaluate(evaluation).value_or(false);
      match = evaluation.groups;
      // httpd: it takes the place of what the rules before read.
      value = evaluation.subject.value_or(value);
      if (remarks != nullptr) evaluation.tell(*remarks);
      if (holds) rule.change(match, environment, arena);
      continue;
    }
    if (last == nullptr || !rule.reads_as(*last)) value = rule.read(facts, environment);
    last = &rule;
    if (rule.matches(value, match)) rule.change(match, environment, arena);
  }
}

}  // namespace steelyard::expr
