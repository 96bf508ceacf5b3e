// Table: mod_proxy_fcgi's own directives, what the core says of variables for scripts, and
// SetHandler "proxy:...".
#include "apacheconf/handlers.hpp"
#include "apacheconf/proxy_parameters.hpp"
#include "apacheconf/tables.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"
#include "config/fcgi_settings.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view handler_prefix = "proxy:";

void backend_type(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  const bool fpm = equals_ignoring_case(word, "FPM");
  if (!fpm && !equals_ignoring_case(word, "GENERIC")) {
    scope.complain(
        "ProxyFCGIBackendType requires one of the following arguments: 'GENERIC', 'FPM'");
    return;
  }
  scope.settings().fcgi_backend = fpm ? config::FcgiBackend::fpm : config::FcgiBackend::generic;
}

void complain_about(Scope& scope, const std::string& expression, const expr::Complaint& complaint) {
  scope.complain("Could not parse expression \"" + expression + "\": " + complaint.text,
                 complaint.advice);
}

void set_variable_if(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  auto condition = expr::Condition::compile(words[0]);
  if (!condition) return complain_about(scope, words[0], condition.error());
  config::FcgiVariable variable{std::move(*condition), words[1], nullptr};
  if (words[1].starts_with('!')) {
    if (words.size() > 2) {
      return scope.complain("Third argument (\"" + words[2] +
                            "\") is not allowed when using ProxyFCGISetEnvIf's unset mode (" +
                            words[1] + ")");
    }
    variable.name.erase(0, 1);
    if (variable.name.empty())
      return scope.complain("ProxyFCGISetEnvIf: \"!\" is not a valid variable name");
  } else {
    const std::string text = words.size() > 2 ? words[2] : std::string();
    auto value = expr::StringExpression::compile(text);
    if (!value) return complain_about(scope, text, value.error());
    variable.value = std::make_shared<const expr::StringExpression>(std::move(*value));
  }
  scope.settings().fcgi_variables.push_back(
      std::make_shared<const config::FcgiVariable>(std::move(variable)));
}

void pass_authorization(Scope& scope, const Statement& statement) {
  scope.settings().cgi_pass_auth = is_on(statement);
}

void variable_rule(Scope& scope, const Statement& statement) {
  const std::string& name = statement.words[0];
  const std::string& rule = statement.words[1];
  if (!equals_ignoring_case(name, "REQUEST_URI")) {
    scope.complain("Unrecognized CGI variable: \"" + name + '"');
  } else if (equals_ignoring_case(rule, "current-uri")) {
    scope.complain("CGIVar REQUEST_URI current-uri is not supported",
                   "Scripts are told what the client asked for; leave the line out.");
  } else if (!equals_ignoring_case(rule, "original-uri")) {
    scope.complain("Invalid rule \"" + rule + "\" for CGI variable " + name);
  }
}

constexpr auto table = std::to_array<Directive>({
    {.name = "ProxyFCGIBackendType",
     .contexts = anywhere,
     .arguments = Arguments::one,
     .handler = backend_type,
     .merge = "the innermost one counts",
     .help = "Specify the type of FastCGI server: 'Generic', 'FPM'",
     .module = "proxy_fcgi_module"},
    {.name = "ProxyFCGISetEnvIf",
     .contexts = anywhere,
     .arguments = Arguments::two_or_three,
     .handler = set_variable_if,
     .merge = "adds up",
     .help = "expr-condition env-name expr-value",
     .module = "proxy_fcgi_module"},
    {.name = "CGIPassAuth",
     .contexts = in_sections,
     .arguments = Arguments::flag,
     .handler = pass_authorization,
     .merge = "the innermost one counts",
     .help = "Controls whether HTTP authorization headers, normally hidden, will be passed to "
             "scripts",
     .module = "core_module"},
    {.name = "CGIVar",
     .contexts = anywhere,
     .arguments = Arguments::two,
     .handler = variable_rule,
     .help = "how REQUEST_URI is told to scripts; only original-uri",
     .module = "core_module"},
});

// Where the URL begins, behind the socket of "unix:/path|url".
std::string_view inner_url(std::string_view url) {
  const std::size_t bar = url.find('|');
  const bool is_unix = starts_with_ignoring_case(url, "unix:") && bar != std::string_view::npos;
  return is_unix ? url.substr(bar + 1) : url;
}

}  // namespace

bool is_proxy_handler(std::string_view word) {
  return starts_with_ignoring_case(word, handler_prefix);
}

std::shared_ptr<const config::ProxyHandler> read_proxy_handler(Scope& scope,
                                                               const std::string& word) {
  const std::string line = "SetHandler " + word;
  const std::string url = word.substr(handler_prefix.size());
  if (scope.frame().is_inert) {
    scope.warn(line + " in " + scope.frame().name +
                   ": no files are served, so no request is about one and it answers nothing",
               "If PHP is to run, write it in a section about paths, "
               "<LocationMatch \"\\.php(/|$)\">.");
    return nullptr;
  }
  config::ProxyHandler handler;
  const std::string_view inner = inner_url(url);
  handler.url = balance::without_password(inner);
  if (starts_with_ignoring_case(inner, "balancer://"))
    return std::make_shared<const config::ProxyHandler>(std::move(handler));
  if (!starts_with_ignoring_case(inner, "fcgi:")) {
    scope.complain(line + " is not supported: a path of files would be asked for there",
                   "Write ProxyPass " + url + " in a <Location>.");
    return nullptr;
  }
  if (!read_backend_url(scope, handler.member, url, line + ": ", UrlKind::plain)) return nullptr;
  if (inner.find("://") == std::string_view::npos || inner.ends_with("://"))
    handler.url = "fcgi://localhost";
  return std::make_shared<const config::ProxyHandler>(std::move(handler));
}

std::span<const Directive> fcgi_directives() { return table; }

}  // namespace steelyard::apacheconf
