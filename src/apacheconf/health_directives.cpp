// Table: mod_proxy_hcheck's directives, and the hc... parameters that refer to them.

#include <array>
#include <map>

#include "apacheconf/health_parameters.hpp"
#include "apacheconf/proxy_parameters.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using Result = std::expected<void, std::string>;

constexpr std::size_t expression_name_length_max = 15;
constexpr std::string_view health_module = "proxy_hcheck_module";

struct CheckTemplate {
  std::string name;
  balance::CheckSpec spec;
};

// What each server's own lines named so far.
struct CheckTemplates {
  std::map<const config::Server*, std::vector<CheckTemplate>> of;
};

std::vector<CheckTemplate>& templates_of(Scope& scope) {
  return scope.reading.part<CheckTemplates>().of[&scope.server];
}

const CheckTemplate* find_template(Scope& scope, std::string_view name) {
  for (const CheckTemplate& known : templates_of(scope)) {
    if (equals_ignoring_case(known.name, name)) return &known;  // the first of a name counts
  }
  return nullptr;
}

constexpr std::string_view names_advice =
    "A name counts from its line on, in the main server or in the virtual host that gives it.";

std::string advice_on_name(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest(name, known);
  if (!near.empty()) return "Did you mean " + std::string(near) + "?";
  return std::string(names_advice);
}

std::string advice_on_method(std::string_view value) {
  if (equals_ignoring_case(value, "CPING"))
    return "Add the line: LoadModule proxy_ajp_module modules/mod_proxy_ajp.so";
  const std::string_view near = nearest(
      to_lower(value), {"tcp", "options", "head", "get", "cping", "options11", "head11", "get11"});
  if (!near.empty()) return "Did you mean " + std::string(near) + "?";
  return "hcmethod is one of NONE, TCP, OPTIONS, HEAD, GET, CPING, OPTIONS11, HEAD11, GET11.";
}

// The words behind a template's name, each set as it stands.
void read_template_words(Scope& scope, CheckTemplate& made, std::string_view rest, bool& usable) {
  std::string word;
  while (take_word(rest, word)) {
    const std::size_t equals = word.find('=');
    if (equals == word.npos) {
      scope.complain("Invalid ProxyHCTemplate parameter. Parameter must be in the form 'key=value'",
                     without_equals(word));
      usable = false;
      continue;
    }
    const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
    if (const Result result = set_check_parameter(scope, made.spec, key, value); !result) {
      scope.complain("ProxyHCTemplate: " + result.error() + ' ' + word + "; " + made.name,
                     advice_on_check_parameter(scope, key, value));
      usable = false;
    }
  }
}

void check_template(Scope& scope, const Statement& statement) {
  std::string_view rest = statement.text;
  CheckTemplate made;
  if (!take_word(rest, made.name) || made.name.empty()) {
    scope.complain("Missing template name for ProxyHCTemplate",
                   "Write ProxyHCTemplate NAME hcmethod=GET hcuri=/status ...");
    return;
  }
  made.spec.method = balance::CheckMethod::tcp;
  bool usable = true;
  read_template_words(scope, made, rest, usable);
  if (!usable) return;
  if (find_template(scope, made.name) != nullptr) {
    scope.warn("ProxyHCTemplate " + made.name + " is named already: the first one counts",
               "Give this template a name of its own.");
  }
  templates_of(scope).push_back(std::move(made));
}

void check_expression(Scope& scope, const Statement& statement) {
  std::string_view rest = statement.text;
  std::string name, text, extra;
  if (!take_word(rest, name) || name.empty()) {
    scope.complain("Missing expression name for ProxyHCExpr",
                   "Write ProxyHCExpr NAME {%{REQUEST_STATUS} =~ /^[234]/}.");
    return;
  }
  if (name.size() > expression_name_length_max) {
    scope.complain("Expression name limited to 15 characters");
    return;
  }
  if (!take_word(rest, text, Braces::quote) || text.empty()) {
    scope.complain("Missing expression for ProxyHCExpr",
                   "Write ProxyHCExpr " + name + " {%{REQUEST_STATUS} =~ /^[234]/}.");
    return;
  }
  auto condition = expr::Condition::compile(text);
  if (!condition) {
    scope.complain("Could not parse expression \"" + text + "\": " + condition.error().text,
                   condition.error().advice);
    return;
  }
  if (take_word(rest, extra) && !extra.empty()) {
    scope.complain("error: extra parameter(s)",
                   "'" + extra + "' stands behind the expression: write {...} around all of it.");
    return;
  }
  scope.server.health_conditions.set(name, std::move(*condition));
}

void pool_size(Scope& scope, const Statement& statement) {
  if (parse_lax(statement.words[0]) >= 0) return;
  scope.complain("Invalid ProxyHCTPsize parameter. Parameter must be >= 0");
}

constexpr auto table = std::to_array<Directive>({
    {"ProxyHCExpr", anywhere, Arguments::raw, check_expression,
     "by name; not inherited by virtual hosts",
     "Define a health check condition ruleset expression", health_module},
    {"ProxyHCTemplate", anywhere, Arguments::raw, check_template,
     "by name, the first one counts; not inherited by virtual hosts",
     "Define a health check template", health_module},
    {"ProxyHCTPsize", in_main, Arguments::one, pool_size, "the last one counts",
     "Set size of health check thread pool", health_module, Support::accepted_with_note,
     "checks need no threads: up to 512 are under way at a time"},
});

}  // namespace

Result set_check_parameter(Scope& scope, balance::CheckSpec& spec, std::string_view key,
                           std::string_view value) {
  if (!scope.reading.has_module(health_module)) return std::unexpected("unknown Worker parameter");
  if (equals_ignoring_case(key, "hctemplate")) {
    const CheckTemplate* const named = find_template(scope, value);
    if (named == nullptr) {
      return std::unexpected("Unknown ProxyHCTemplate name: " + std::string(value));
    }
    spec = named->spec;
    return {};
  }
  if (equals_ignoring_case(key, "hcexpr")) {
    if (scope.server.health_conditions.find(value) == nullptr) {
      return std::unexpected("Unknown health check condition expr: " + std::string(value));
    }
    spec.expression = value;
    return {};
  }
  const bool asks_ajp =
      equals_ignoring_case(key, "hcmethod") && equals_ignoring_case(value, "CPING");
  if (asks_ajp && !scope.reading.has_module("proxy_ajp_module"))
    return std::unexpected("Health check method CPING not (yet) implemented");
  return balance::set_check_parameter(spec, key, value);
}

std::string advice_on_check_parameter(Scope& scope, std::string_view key, std::string_view value) {
  if (!scope.reading.has_module(health_module)) {
    return "Add this line before it: LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so";
  }
  std::vector<std::string_view> known;
  if (equals_ignoring_case(key, "hctemplate")) {
    for (const CheckTemplate& each : templates_of(scope)) known.push_back(each.name);
    return advice_on_name(value, known);
  }
  if (equals_ignoring_case(key, "hcexpr")) {
    for (const auto& each : scope.server.health_conditions) known.push_back(each.name);
    return advice_on_name(value, known);
  }
  if (equals_ignoring_case(key, "hcmethod")) return advice_on_method(value);
  const auto keys = balance::check_parameter_keys();
  for (const std::string_view each : keys) {
    if (equals_ignoring_case(each, key)) return {};
  }
  const std::string_view near = nearest(to_lower(key), {keys.begin(), keys.end()});
  return near.empty() ? std::string() : "Did you mean " + std::string(near) + "?";
}

std::span<const Directive> health_directives() { return table; }

}  // namespace steelyard::apacheconf
