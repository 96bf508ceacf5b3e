// Table: AuthType and its relatives (mod_authn_core, mod_auth_basic, mod_authn_file,
// mod_authz_groupfile, mod_authz_core).
#include <array>
#include <memory>
#include <set>

#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "config/auth_settings.hpp"
#include "config/conditional.hpp"

namespace steelyard::apacheconf {

namespace {

using config::AuthSettings;
using config::AuthType;

constexpr std::string_view not_this_one =
    "Write AuthType Basic with AuthUserFile, let the members authenticate, or restrict the path by "
    "Require ip.";

// What a section has said so far; settings hold it as a value that does not change.
template <class Change>
void change(Scope& scope, Change change) {
  auto& auth = scope.settings().auth;
  auto next =
      auth == nullptr ? std::make_shared<AuthSettings>() : std::make_shared<AuthSettings>(*auth);
  change(*next);
  auth = std::move(next);
}

std::optional<expr::StringExpression> read_text(Scope& scope, const std::string& word) {
  auto text = expr::StringExpression::compile(word);
  if (text) return std::move(*text);
  scope.complain("Cannot parse expression '" + word + "' in " + scope.statement().name + ": " +
                     text.error().text,
                 text.error().advice);
  return std::nullopt;
}

void auth_type(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  const bool is_basic = equals_ignoring_case(word, "basic");
  if (!is_basic && !equals_ignoring_case(word, "none")) {
    scope.complain("AuthType " + word +
                       " is not supported: it would ask users who they are in a "
                       "way that is not known here",
                   std::string(not_this_one));
    return;
  }
  if (is_basic && !scope.reading.has_module("auth_basic_module")) {
    scope.complain("AuthType Basic configured without corresponding module",
                   "Load it: LoadModule auth_basic_module modules/mod_auth_basic.so");
    return;
  }
  change(scope, [is_basic](AuthSettings& auth) {
    auth.type = is_basic ? AuthType::basic : AuthType::none;
  });
}

void auth_name(Scope& scope, const Statement& statement) {
  auto realm = read_text(scope, statement.words[0]);
  if (realm) change(scope, [&](AuthSettings& auth) { auth.realm = std::move(*realm); });
}

template <std::optional<std::string> AuthSettings::* file>
void auth_file(Scope& scope, const Statement& statement) {
  const std::string path = scope.reading.resolve_path(statement.words[0]);
  change(scope, [&](AuthSettings& auth) { auth.*file = path; });
}

template <std::optional<bool> AuthSettings::* field>
void auth_flag(Scope& scope, const Statement& statement) {
  change(scope, [&](AuthSettings& auth) { auth.*field = is_on(statement); });
}

void auth_basic_provider(Scope& scope, const Statement& statement) {
  constexpr std::array<std::string_view, 6> others{"anon", "dbd", "dbm", "ldap", "socache", "fcgi"};
  for (const std::string& word : statement.words) {
    if (equals_ignoring_case(word, "file")) continue;
    const bool is_httpds = std::ranges::any_of(
        others, [&word](std::string_view one) { return equals_ignoring_case(one, word); });
    scope.complain(is_httpds ? "AuthBasicProvider " + word +
                                   " is not supported: it would look "
                                   "users up elsewhere than in a file"
                             : "Unknown Authn provider: " + word,
                   is_httpds ? std::string(not_this_one) : "Write AuthBasicProvider file.");
  }
}

void auth_basic_fake(Scope& scope, const Statement& statement) {
  AuthSettings::FakeLogin fake;
  fake.is_on = !equals_ignoring_case(statement.words[0], "off");
  auto user = read_text(scope, statement.words[0]);
  auto password = read_text(scope, statement.words.size() > 1 ? statement.words[1] : "password");
  if (!user || !password) return;
  fake.user = std::move(*user);
  fake.password = std::move(*password);
  change(scope, [&](AuthSettings& auth) { auth.fake = std::move(fake); });
}

constexpr std::string_view innermost = "the inner one counts";
constexpr std::string_view core = "authn_core_module", basic = "auth_basic_module";

constexpr auto table = std::to_array<Directive>({
    {"AuthType", in_sections, Arguments::one, auth_type, innermost,
     "an HTTP authorization type (e.g., \"Basic\")", core},
    {"AuthName", in_sections, Arguments::one, auth_name, innermost,
     "the authentication realm (e.g. \"Members Only\")", core},
    {"AuthUserFile", in_sections, Arguments::one, auth_file<&AuthSettings::user_file>, innermost,
     "text file containing user IDs and passwords", "authn_file_module"},
    {"AuthGroupFile", in_sections, Arguments::one, auth_file<&AuthSettings::group_file>, innermost,
     "text file containing group names and member user IDs", "authz_groupfile_module"},
    {"AuthBasicProvider", in_sections, Arguments::one_or_more, auth_basic_provider, innermost,
     "specify the auth providers for a directory or location", basic},
    {"AuthBasicAuthoritative", in_sections, Arguments::flag,
     auth_flag<&AuthSettings::is_authoritative>, innermost,
     "Set to 'Off' to allow access control to be passed along to lower modules if the UserID is "
     "not known to this module",
     basic},
    {"AuthBasicFake", in_sections, Arguments::one_or_two, auth_basic_fake, innermost,
     "Fake basic authentication using the given expressions for username and password, 'off' to "
     "disable. Password defaults to 'password' if missing.",
     basic},
    {"AuthzSendForbiddenOnFailure", in_sections, Arguments::flag,
     auth_flag<&AuthSettings::forbids_on_failure>, innermost,
     "Controls if an authorization failure should result in a '403 FORBIDDEN' response instead of "
     "the HTTP-conforming '401 UNAUTHORIZED'",
     "authz_core_module"},
});

}  // namespace

std::span<const Directive> auth_directives() { return table; }

void finish_auth(Reading& reading) {
  if (!reading.file_exists) return;
  std::set<std::string> told;
  const auto look = [&](const std::optional<std::string>& path, std::string_view directive,
                        std::string_view what, const config::Place& place) {
    if (!path || reading.file_exists(*path) || !told.insert(*path).second) return;
    reading.warn_at(place, std::string(directive) + ' ' + *path + ": there is no such file, so " +
                               std::string(what));
  };
  for (const auto& server : reading.config->servers) {
    for (const auto* const sections : {&server->locations, &server->proxies}) {
      for (const config::Section& section : *sections) {
        if (section.settings.auth == nullptr) continue;
        const AuthSettings& auth = *section.settings.auth;
        look(auth.user_file, "AuthUserFile", "nobody is let in by a password: status 500",
             section.place);
        look(auth.group_file, "AuthGroupFile", "nobody is in a group", section.place);
      }
    }
  }
}

}  // namespace steelyard::apacheconf
