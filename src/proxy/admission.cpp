#include "proxy/admission.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "config/auth_settings.hpp"
#include "http/basic_credentials.hpp"
#include "http/syntax.hpp"
#include "proxy/awaited.hpp"
#include "proxy/certified_user.hpp"
#include "proxy/doorman.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

using auth::Finding;
using config::AuthSettings;
using config::LogLevel;
using expr::Admission;

constexpr AuthWords for_servers{401, "WWW-Authenticate", "Authorization"};
constexpr AuthWords for_proxies{407, "Proxy-Authenticate", "Proxy-Authorization"};

bool is_basic(const Exchange& x) {
  return x.settings->auth != nullptr && x.settings->auth->is_basic();
}

// Makes the text only when it is wanted.
template <class... Parts>
void complain(Exchange& x, Shard::Core& core, std::string_view module, const Parts&... parts) {
  if (core.wants(x, LogLevel::error, module))
    core.log(x, LogLevel::error, module, x.arena.join(std::string_view(parts)...));
}

// httpd: a quote gets a backslash, unless it has one.
std::string_view escape_quotes(std::string_view text, Arena& arena) {
  if (!text.contains('"')) return text;
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') escaped += '\\';
    escaped += text[i];
    if (text[i] == '\\' && i + 1 < text.size()) escaped += text[++i];
  }
  return arena.copy(escaped);
}

// What asks the client for a password.
void challenge(Exchange& x, Shard::Core& core) {
  std::string_view realm =
      core.text_of(x, *x.settings->auth->realm, core.failed_realms, "authn_core", "AuthName");
  realm = realm.substr(0, http::first_control(realm));
  x.guest.write().challenge = x.arena.join("Basic realm=\"", escape_quotes(realm, x.arena), "\"");
}

Routing refuse(int status) { return {Routing::Kind::answer, status, {}, {}}; }

// Who has said who it is may say something else; who was never asked is just not let in.
Routing refuse_guest(Exchange& x, Shard::Core& core, Admission admission) {
  const std::string_view user = x.guest->visitor.user.value_or("");
  if (admission == Admission::needs_user) {
    complain(x, core, "authz_core",
             "AH01629: authorization failure (no authenticated user): ", x.path);
  } else {
    complain(x, core, "authz_core", "AH01631: user ", user, ": authorization failure for \"",
             x.path, "\": ");
    if (x.settings->auth->forbids_on_failure.value_or(false)) return refuse(403);
  }
  challenge(x, core);
  return refuse(auth_words(x).status);
}

// What a user without a file, or one that nobody knows, becomes. httpd: with AuthBasicAuthoritative
// Off others may know better, of which there are none here.
int fail(Exchange& x, Shard::Core& core, int status) {
  if (x.settings->auth->is_authoritative.value_or(true)) return status;
  complain(x, core, "authn_core",
           "AH01796: AuthType Basic configured without corresponding module");
  return 500;
}

LoginQuestion question_of(const Exchange& x, http::Credentials credentials) {
  const AuthSettings& auth = *x.settings->auth;
  LoginQuestion question;
  question.user = std::move(credentials.user);
  question.password = std::move(credentials.password);
  question.user_file = *auth.user_file;
  if (x.settings->require->needs_groups()) question.group_file = auth.group_file.value_or("");
  question.from = x.client_address();
  return question;
}

io::Task<Finding> ask_doorman(Exchange& x, Shard::Core& core, ClientSide client,
                              LoginQuestion question) {
  Doorman* const doorman = core.parts.group.doorman;
  if (doorman == nullptr) co_return Finding{};
  if (auto known = doorman->known(question.login())) co_return std::move(*known);
  const auto awaited = Awaited<Finding>::make(core.parts.loop);
  question.given_up = Awaited<Finding>::given_up(awaited);
  doorman->ask(std::move(question),
               [awaited](Finding finding) { Awaited<Finding>::give(awaited, std::move(finding)); });
  auto finding =
      co_await Awaited<Finding>::wait(awaited, client.timer, core.now() + doorman_patience);
  co_return finding ? std::move(*finding) : Finding{};
}

void take_groups(Exchange& x, Shard::Core& core, const Finding& finding) {
  if (!x.settings->require->needs_groups()) return;
  if (!x.settings->auth->group_file) {
    complain(x, core, "authz_groupfile",
             "AH01664: No group file was specified in the configuration");
  } else if (!finding.group_fault.empty()) {
    complain(x, core, "authz_groupfile",
             "AH01665: Could not open group file: ", *x.settings->auth->group_file, ": ",
             finding.group_fault);
  }
  for (const std::string& group : finding.groups)
    x.guest.write().visitor.groups.push_back(x.arena.copy(group));
}

int take_finding(Exchange& x, Shard::Core& core, const Finding& finding) {
  const std::string_view user = *x.guest->visitor.user;
  switch (finding.verdict) {
    case Finding::Verdict::right:
      take_groups(x, core, finding);
      return 0;
    case Finding::Verdict::wrong_password:
      complain(x, core, "auth_basic", "AH01617: user ", user, ": authentication failure for \"",
               x.path, "\": Password Mismatch");
      challenge(x, core);
      return auth_words(x).status;
    case Finding::Verdict::unknown_user:
      if (!x.settings->auth->is_authoritative.value_or(true)) return fail(x, core, 500);
      complain(x, core, "auth_basic", "AH01618: user ", user, " not found: ", x.path);
      challenge(x, core);
      return auth_words(x).status;
    case Finding::Verdict::no_file:
      complain(x, core, "authn_file",
               "AH01620: Could not open password file: ", *x.settings->auth->user_file, ": ",
               finding.fault);
      return fail(x, core, 500);
    case Finding::Verdict::overloaded:
      core.log_seldom(x, core.crowded_logins, LogLevel::error, "auth_basic",
                      "so many passwords wait to be checked that one more is not taken: 503");
      return 503;
  }
  return 500;
}

// A user whose certificate says so is in groups, too, whatever AuthType is (httpd).
bool lacks_groups(const Exchange& x) {
  return x.guest->is_certified && !x.guest->has_groups && x.settings->auth != nullptr &&
         x.settings->require != nullptr && x.settings->require->needs_groups();
}

io::Task<int> look_up_groups(Exchange& x, Shard::Core& core, ClientSide client) {
  x.guest.write().has_groups = true;
  LoginQuestion question;
  question.user = *x.guest->visitor.user;
  question.is_certified = true;
  question.group_file = x.settings->auth->group_file.value_or("");
  question.from = x.client_address();
  const Finding finding = co_await ask_doorman(x, core, client, std::move(question));
  co_return take_finding(x, core, finding);
}

}  // namespace

const AuthWords& auth_words(const Exchange& x) {
  return x.guest->is_asked_by_proxy ? for_proxies : for_servers;
}

std::optional<Routing> admit(Exchange& x, Shard::Core& core) {
  if (stays_under(x.guest, x.settings.get())) return std::nullopt;
  if (x.settings->require == nullptr && x.settings->auth == nullptr) return std::nullopt;
  if (lacks_groups(x)) return Routing{Routing::Kind::needs_user, 0, {}, {}};
  Admission admission = Admission::unruled;
  if (x.settings->require != nullptr) {
    expr::Evaluation evaluation{x, x.arena};
    admission = x.settings->require->decide(evaluation);
    core.heed(x, "authz_core", "Require expr", {evaluation.vary, evaluation.fault});
  }
  switch (admission) {
    case Admission::allowed:
      return std::nullopt;
    case Admission::failed:
      return refuse(500);
    case Admission::unruled:
      if (!is_basic(x)) return std::nullopt;
      complain(x, core, "authz_core",
               "AH01627: AuthType configured with no corresponding authorization directives");
      return refuse(500);
    case Admission::needs_user:
      if (!x.guest->was_asked) return Routing{Routing::Kind::needs_user, 0, {}, {}};
      return refuse_guest(x, core, admission);
    case Admission::denied_by_require:
      if (x.guest->was_asked) return refuse_guest(x, core, admission);
      break;
    case Admission::denied_by_order:
      break;
  }
  complain(x, core, "authz_core",
           "client denied by server configuration: ", x.proxied ? x.route.url : x.path);
  return refuse(403);
}

io::Task<int> identify(Exchange& x, Shard::Core& core, ClientSide client) {
  if (lacks_groups(x)) co_return co_await look_up_groups(x, core, client);
  x.guest.write().was_asked = true;
  if (const int status = fake_basic_login(x, core); status != 0) co_return status;
  if (!is_basic(x)) {
    complain(x, core, "core",
             "AH00027: No authentication done but request not allowed without authentication for ",
             x.path, ". Authentication not configured?");
    co_return 500;
  }
  const AuthSettings& auth = *x.settings->auth;
  if (!auth.realm) {
    complain(x, core, "auth_basic", "AH01615: need AuthName: ", x.path);
    co_return 500;
  }
  x.guest.write().visitor.auth_type = "Basic";
  const auto value = x.request_header(auth_words(x).credentials);
  auto credentials = http::read_basic_credentials(value.value_or(""));
  if (!credentials) {
    if (value)
      complain(x, core, "auth_basic", "AH01614: client used wrong authentication scheme: ", x.path);
    challenge(x, core);
    co_return auth_words(x).status;
  }
  x.guest.write().visitor.user = x.arena.copy(credentials->user);
  if (!auth.user_file) {
    complain(x, core, "authn_file", "AH01619: AuthUserFile not specified in the configuration");
    co_return fail(x, core, 500);
  }
  co_return take_finding(
      x, core, co_await ask_doorman(x, core, client, question_of(x, std::move(*credentials))));
}

void fake_login(Exchange& x, Shard::Core& core) {
  // httpd: what let somebody in here is nobody else's business, unless the next proxy shall have
  // it.
  if (x.guest->visitor.user && !x.has_switch("Proxy-Chain-Auth"))
    x.request.fields.remove(http::FieldId::proxy_authorization);
  const auto& fake = x.settings->auth->fake;
  if (!fake || !fake->is_on) return;
  const auto text = [&](const expr::StringExpression& expression) {
    return core.text_of(x, expression, core.failed_realms, "auth_basic", "AuthBasicFake");
  };
  const std::string_view user = text(fake->user), password = text(fake->password);
  if (user.empty() || password.empty()) {
    x.request.fields.remove(http::FieldId::authorization);
    return;
  }
  const std::string value = http::write_basic_credentials(user, password);
  x.request.fields.set("Authorization", x.arena.copy(value));
}

}  // namespace steelyard::proxy
