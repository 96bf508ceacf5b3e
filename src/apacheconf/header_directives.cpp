// Table: Header, RequestHeader, and the request environment (SetEnv, SetEnvIf and relatives).

#include <algorithm>
#include <array>

#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "expr/env_rule.hpp"
#include "expr/header_rule.hpp"

namespace steelyard::apacheconf {

namespace {

// httpd looks for early rules before it knows the section.
bool is_early_in_section(Scope& scope, const expr::HeaderRule& rule) {
  if (!rule.is_early() || scope.at_server_level()) return false;
  scope.warn("early has no effect in a section, as in httpd: the line does nothing",
             "Leave early out, or write the line outside of sections.");
  return true;
}

// Early rules on answers run before the others. In the ordinary table nothing is left of what they
// did once the member has answered.
void early_header(Scope& scope, expr::HeaderRule&& rule) {
  if (rule.table() == expr::HeaderTable::response_normal) {
    scope.warn("An early Header line has no effect on answers of members, as in httpd",
               "Leave early out, or write Header always.");
    return;
  }
  auto& rules = scope.settings().response_always;
  const auto first_late =
      std::ranges::find_if(rules, [](const expr::HeaderRule& each) { return !each.is_early(); });
  rules.insert(first_late, std::move(rule));
}

void header(Scope& scope, const Statement& statement) {
  auto rule = expr::HeaderRule::parse_response(statement.words);
  if (!rule) {
    scope.complain(rule.error().text, rule.error().advice);
    return;
  }
  if (is_early_in_section(scope, *rule)) return;
  if (rule->is_early()) {
    early_header(scope, std::move(*rule));
    return;
  }
  config::PathSettings& settings = scope.settings();
  auto& rules = rule->table() == expr::HeaderTable::response_always ? settings.response_always
                                                                    : settings.response_normal;
  rules.push_back(std::move(*rule));
}

void request_header(Scope& scope, const Statement& statement) {
  auto rule = expr::HeaderRule::parse_request(statement.words);
  if (!rule) {
    scope.complain(rule.error().text, rule.error().advice);
    return;
  }
  if (is_early_in_section(scope, *rule)) return;
  auto& rules = rule->is_early() ? scope.server.early_rules : scope.settings().request_rules;
  rules.push_back(std::move(*rule));
}

// At server level rules run before anything is matched, in sections after the mapping.
template <expr::EnvDirective directive>
void set_env_if(Scope& scope, const Statement& statement) {
  auto rule = expr::EnvRule::parse(directive, statement.words);
  if (!rule) {
    scope.complain(rule.error().text, rule.error().advice);
    return;
  }
  auto& rules = scope.at_server_level() ? scope.server.env_rules : scope.settings().env_rules;
  rules.push_back(std::move(*rule));
}

// The last word of a level about a name counts.
void say(Scope& scope, const std::string& name, std::optional<std::string> value) {
  auto& env = scope.settings().env;
  std::erase_if(env, [&](const auto& old) { return equals_ignoring_case(old.first, name); });
  env.emplace_back(name, std::move(value));
}

void set_env(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  say(scope, words[0], words.size() > 1 ? words[1] : std::string());
}

void unset_env(Scope& scope, const Statement& statement) {
  for (const std::string& name : statement.words) say(scope, name, std::nullopt);
}

void pass_env(Scope& scope, const Statement& statement) {
  for (const std::string& name : statement.words) {
    const std::optional<std::string> value =
        scope.reading.environment ? scope.reading.environment(name) : std::nullopt;
    if (value) {
      say(scope, name, *value);
    } else {
      scope.warn("PassEnv variable " + name + " was undefined",
                 "Set it where the program is started, or leave the line out.");
    }
  }
}

constexpr std::string_view adds_up = "adds up, outer ones first";
constexpr std::string_view overlay = "name by name, the inner one counts";

constexpr auto table = std::to_array<Directive>({
    {"Header", anywhere, Arguments::raw, header, adds_up,
     "an optional condition, an action, header and value followed by optional env clause",
     "headers_module"},
    {"RequestHeader", anywhere, Arguments::raw, request_header, adds_up,
     "an action, header and value followed by optional env clause", "headers_module"},
    {"SetEnv", anywhere, Arguments::one_or_two, set_env, overlay,
     "an environment variable name and optional value to pass to CGI.", "env_module"},
    {"UnsetEnv", anywhere, Arguments::one_or_more, unset_env, overlay,
     "a list of variables to remove from the CGI environment.", "env_module"},
    {"PassEnv", anywhere, Arguments::one_or_more, pass_env, overlay,
     "a list of environment variables to pass to CGI.", "env_module"},
    {"SetEnvIf", anywhere, Arguments::raw, set_env_if<expr::EnvDirective::set_env_if>, adds_up,
     "A header-name, regex and a list of variables.", "setenvif_module"},
    {"SetEnvIfNoCase", anywhere, Arguments::raw, set_env_if<expr::EnvDirective::set_env_if_no_case>,
     adds_up, "a header-name, regex and a list of variables.", "setenvif_module"},
    {"BrowserMatch", anywhere, Arguments::raw, set_env_if<expr::EnvDirective::browser_match>,
     adds_up, "A browser regex and a list of variables.", "setenvif_module"},
    {"BrowserMatchNoCase", anywhere, Arguments::raw,
     set_env_if<expr::EnvDirective::browser_match_no_case>, adds_up,
     "A browser regex and a list of variables.", "setenvif_module"},
    {"SetEnvIfExpr", anywhere, Arguments::raw, set_env_if<expr::EnvDirective::set_env_if_expr>,
     adds_up, "an expression and a list of variables.", "setenvif_module"},
});

}  // namespace

std::span<const Directive> header_directives() { return table; }

}  // namespace steelyard::apacheconf
