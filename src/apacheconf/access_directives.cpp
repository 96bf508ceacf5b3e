// Table: Require with its containers, AuthMerging, and the older Order, Allow, Deny, Satisfy.

#include <array>
#include <map>

#include "apacheconf/choices.hpp"
#include "apacheconf/methods.hpp"
#include "apacheconf/proxy_handlers.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "base/text.hpp"
#include "expr/require.hpp"

namespace steelyard::apacheconf {

namespace {

using expr::RequireBuilder;
using expr::RequireContainer;

// What each section has said so far; <Limit> shares the settings of the section around it.
struct AccessDrafts {
  std::map<const config::PathSettings*, RequireBuilder> builders;
};

RequireBuilder& builder_of(Scope& scope) {
  return scope.reading.part<AccessDrafts>().builders[&scope.settings()];
}

void report(Scope& scope, const RequireBuilder::Result& result) {
  if (!result) scope.complain(result.error().text, result.error().advice);
}

// Adds a line, for some methods only when it stands in <Limit>.
void add(Scope& scope, std::span<const std::string> words,
         RequireBuilder::Result (RequireBuilder::*line)(std::span<const std::string>)) {
  RequireBuilder& builder = builder_of(scope);
  const Frame& frame = scope.frame();
  if (frame.kind != SectionKind::limit) {
    report(scope, (builder.*line)(words));
    return;
  }
  std::vector<std::string> methods;
  for (const std::string_view method : split_words(frame.argument)) methods.emplace_back(method);
  builder.limit(methods, frame.name == "<LimitExcept>");
  report(scope, (builder.*line)(words));
  builder.unlimit();
}

// `Require [not] method ...`: the names of methods.
std::span<const std::string> methods_in(std::span<const std::string> words) {
  if (!words.empty() && equals_ignoring_case(words[0], "not")) words = words.subspan(1);
  return !words.empty() && words[0] == "method" ? words.subspan(1) : words.first(0);
}

// `Require [not] expr ...`: the rest of the line as it stands, without quotes around the whole.
std::vector<std::string> with_condition(const Statement& statement) {
  std::vector<std::string> words;
  std::string_view rest = statement.text;
  for (std::string word; words.empty() || words.back() != "expr";) {
    if (!take_word(rest, word)) return statement.words;
    words.push_back(word);
  }
  rest = trim(rest);
  const bool is_quoted = rest.size() >= 2 && rest.starts_with('"') && rest.ends_with('"');
  words.emplace_back(is_quoted ? rest.substr(1, rest.size() - 2) : rest);
  return words;
}

// Providers of modules that may be left out: httpd does not know the word then.
std::string_view missing_module(const Reading& reading, std::span<const std::string> words) {
  if (!words.empty() && equals_ignoring_case(words[0], "not")) words = words.subspan(1);
  if (words.empty()) return {};
  std::string_view module;
  if (words[0] == "user" || words[0] == "valid-user") module = "authz_user_module";
  if (words[0] == "group") module = "authz_groupfile_module";
  return module.empty() || reading.has_module(module) ? std::string_view() : module;
}

bool has_condition(std::span<const std::string> words) {
  if (!words.empty() && equals_ignoring_case(words[0], "not")) words = words.subspan(1);
  return !words.empty() && words[0] == "expr";
}

void require(Scope& scope, const Statement& statement) {
  for (const std::string& method : methods_in(statement.words)) {
    if (is_known_method(scope.reading, method)) continue;
    scope.complain("Invalid Method '" + method + "'",
                   is_known_method(scope.reading, to_upper(method))
                       ? "Methods are written in capitals: " + to_upper(method) + '.'
                       : "Write RegisterHttpMethod " + method + " at server level above it.");
    return;
  }
  if (const std::string_view missing = missing_module(scope.reading, statement.words);
      !missing.empty()) {
    const bool is_negated = equals_ignoring_case(statement.words[0], "not");
    scope.complain("Unknown Authz provider: " + statement.words[is_negated ? 1 : 0],
                   "Load its module: LoadModule " + std::string(missing) + '.');
    return;
  }
  add(scope, has_condition(statement.words) ? with_condition(statement) : statement.words,
      &RequireBuilder::require);
}

template <RequireBuilder::Result (RequireBuilder::*line)(std::span<const std::string>)>
void access_line(Scope& scope, const Statement& statement) {
  add(scope, statement.words, line);
}

bool belongs_in_container(std::string_view name) {
  for (const std::string_view known :
       {"Require", "<RequireAll", "<RequireAny", "<RequireNone", "<Limit", "<LimitExcept"}) {
    if (equals_ignoring_case(name, known)) return true;
  }
  return false;
}

template <RequireContainer container>
void container_section(Scope& scope, const Statement& statement) {
  RequireBuilder& builder = builder_of(scope);
  builder.open(container);
  for (const Statement& line : statement.children) {
    if (belongs_in_container(line.name)) {
      scope.execute(line);
      continue;
    }
    scope.reading.complain_at(line.place(),
                              line.name + " not allowed in " + statement.name + "> context");
  }
  report(scope, builder.close());
}

void auth_merging(Scope& scope, const Statement& statement) {
  static constexpr Choices<config::AuthMerging, 3> choices{
      "AuthMerging must be one of: Off | And | Or",
      {{{"off", config::AuthMerging::off},
        {"and", config::AuthMerging::both},
        {"or", config::AuthMerging::either}}}};
  choices.choose(scope, statement.words[0], scope.settings().auth_merging);
}

constexpr std::string_view replaces = "the inner section's replace the outer ones, see AuthMerging";
constexpr std::string_view replaces_all = "the inner section's replace the outer ones";
constexpr std::string_view authz = "authz_core_module";
constexpr std::string_view compat = "access_compat_module";

constexpr auto table = std::to_array<Directive>({
    {"Require", in_sections, Arguments::raw, require, replaces,
     "specifies authorization directives which one must pass (or not) for a request to succeed",
     authz},
    {"<RequireAll", in_sections, Arguments::empty_section, container_section<RequireContainer::all>,
     replaces,
     "Container for grouping require statements that must all succeed for authorization to succeed",
     authz},
    {"<RequireAny", in_sections, Arguments::empty_section, container_section<RequireContainer::any>,
     replaces,
     "Container for grouping require statements of which one must succeed for authorization to "
     "succeed",
     authz},
    {"<RequireNone", in_sections, Arguments::empty_section,
     container_section<RequireContainer::none>, replaces,
     "Container for grouping require statements of which none must succeed for authorization to "
     "succeed",
     authz},
    {"AuthMerging", in_sections, Arguments::one, auth_merging, "the inner one counts",
     "controls how a <Directory>, <Location>, or similar directive's authorization directives are "
     "combined with those of its predecessor",
     authz},
    {"order", in_sections, Arguments::one, access_line<&RequireBuilder::order>, replaces_all,
     "'allow,deny', 'deny,allow', or 'mutual-failure'", compat},
    {"allow", in_sections, Arguments::two_or_more, access_line<&RequireBuilder::allow>,
     replaces_all, "'from' followed by hostnames or IP-address wildcards", compat},
    {"deny", in_sections, Arguments::two_or_more, access_line<&RequireBuilder::deny>, replaces_all,
     "'from' followed by hostnames or IP-address wildcards", compat},
    {"Satisfy", in_sections, Arguments::one, access_line<&RequireBuilder::satisfy>, replaces_all,
     "access policy if both allow and require used ('all' or 'any')", compat},
});

// httpd's reading of it surprises: the section is open to everybody.
void warn_of_open_section(Scope& scope) {
  if (scope.at_server_level() || scope.settings().auth_merging != config::AuthMerging::off) return;
  scope.warn("AuthMerging Off without a Require: what is around this section does not restrict it",
             "Write Require here, or leave AuthMerging out.");
}

}  // namespace

void finish_settings(Scope& scope) {
  if (scope.frame().kind == SectionKind::proxy || scope.frame().kind == SectionKind::proxy_match) {
    finish_proxy_section(scope);
  }
  auto& builders = scope.reading.part<AccessDrafts>().builders;
  const auto found = builders.find(&scope.settings());
  if (found == builders.end()) {
    warn_of_open_section(scope);
    return;
  }
  auto require = found->second.finish();
  builders.erase(found);
  if (require) {
    scope.settings().require = std::move(*require);
  } else {
    scope.complain(require.error().text, require.error().advice);
  }
}

std::span<const Directive> access_directives() { return table; }

}  // namespace steelyard::apacheconf
