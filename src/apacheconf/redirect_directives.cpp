// Table: Redirect and its relatives, ErrorDocument.

#include <array>

#include "apacheconf/aliases.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "expr/string_expression.hpp"
#include "http/status.hpp"

namespace steelyard::apacheconf {

namespace {

using config::ErrorDocument;
using config::Redirect;

constexpr int redirect_status_default = 302;

bool is_redirect_status(int status) { return status >= 300 && status <= 399; }

// httpd: text that begins with a scheme and a colon.
bool is_url(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i > 0;
    if (!is_alnum(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return false;
}

std::optional<int> status_named(std::string_view word) {
  if (equals_ignoring_case(word, "permanent")) return 301;
  if (equals_ignoring_case(word, "temp")) return 302;
  if (equals_ignoring_case(word, "seeother")) return 303;
  if (equals_ignoring_case(word, "gone")) return 410;
  if (!word.empty() && is_digit(word[0])) {
    return static_cast<int>(std::min<std::int64_t>(parse_lax(word), 9999));
  }
  return std::nullopt;
}

// The words of a line in their roles; absent ones are nullopt.
struct RedirectLine {
  int status = redirect_status_default;
  std::optional<std::string> path, target;
  bool is_regex = false;
};

// False after a complaint.
bool sort_words(Scope& scope, const std::vector<std::string>& words, RedirectLine& line) {
  std::size_t next = 0;
  const std::optional<int> status = status_named(words[0]);
  if (status) {
    line.status = *status;
    next = 1;
  } else if (words.size() == 3) {
    scope.complain("Redirect: invalid first argument (of three)",
                   "A status is a number or one of permanent, temp, seeother, gone.");
    return false;
  }
  const std::size_t left = words.size() - next;
  // In a section a single word is where to, for a status that leads nowhere a path; without any the
  // section is all.
  const bool section_only = !scope.at_server_level() && !line.is_regex && left < 2;
  if (section_only && (left == 0 || is_redirect_status(line.status))) {
    if (left == 1) line.target = words[next];
    return true;
  }
  if (left > 0) line.path = words[next];
  if (left > 1) line.target = words[next + 1];
  return true;
}

bool check_target(Scope& scope, const RedirectLine& line) {
  const bool is_expression = !line.path;
  if (!is_redirect_status(line.status)) {
    if (!line.target) return true;
    scope.complain("Redirect URL not valid for this status",
                   "Status " + std::to_string(line.status) + " leads nowhere: leave the URL out.");
    return false;
  }
  if (!line.target) {
    scope.complain("URL to redirect to is missing");
    return false;
  }
  if (line.is_regex || is_expression || is_url(*line.target) || line.target->starts_with('/')) {
    return true;
  }
  scope.complain("Redirect to non-URL", "Write http://HOST/PATH or /PATH.");
  return false;
}

bool compile(Scope& scope, const RedirectLine& line, Redirect& redirect) {
  if (line.is_regex) {
    auto regex = Regex::compile(line.path.value_or(""));
    if (!regex) {
      scope.complain("Regular expression could not be compiled.", regex.error());
      return false;
    }
    redirect.regex = std::move(*regex);
    return true;
  }
  if (line.path) {
    redirect.path = *line.path;
    return true;
  }
  if (!line.target) return true;
  auto expression = expr::StringExpression::compile(*line.target);
  if (!expression) {
    scope.complain(
        "Cannot parse redirect expression '" + *line.target + "': " + expression.error().text,
        expression.error().advice);
    return false;
  }
  redirect.expression = std::make_shared<const expr::StringExpression>(std::move(*expression));
  return true;
}

void add_redirect(Scope& scope, const RedirectLine& line) {
  Redirect redirect;
  redirect.status = line.status;
  redirect.target = line.target.value_or("");
  if (!check_target(scope, line) || !compile(scope, line, redirect)) return;
  if (scope.at_server_level()) {
    scope.server.redirects.push_back(std::move(redirect));
    return;
  }
  auto& redirects = scope.settings().redirects;
  if (!line.path) {
    std::erase_if(redirects, [](const Redirect& old) { return old.path.empty() && !old.regex; });
  }
  redirects.push_back(std::move(redirect));
}

void redirect(Scope& scope, const Statement& statement) {
  RedirectLine line;
  if (sort_words(scope, statement.words, line)) add_redirect(scope, line);
}

void redirect_match(Scope& scope, const Statement& statement) {
  RedirectLine line;
  line.is_regex = true;
  if (sort_words(scope, statement.words, line)) add_redirect(scope, line);
}

template <int status>
void redirect_with(Scope& scope, const Statement& statement) {
  add_redirect(scope, {status, statement.words[0], statement.words[1], false});
}

void redirect_relative(Scope& scope, const Statement& statement) {
  scope.settings().redirect_relative = is_on(statement);
}

// Text, or a path or URL that is worked out for each request.
bool compile(Scope& scope, const std::string& text, ErrorDocument& document) {
  auto expression = expr::StringExpression::compile(text);
  if (!expression) {
    scope.complain("Cannot parse expression in ErrorDocument: " + expression.error().text,
                   expression.error().advice);
    return false;
  }
  if (document.kind != ErrorDocument::Kind::text && expression->is_constant()) return true;
  document.text = std::make_shared<const expr::StringExpression>(std::move(*expression));
  return true;
}

void error_document(Scope& scope, const Statement& statement) {
  const std::string& code = statement.words[0];
  std::string action = statement.words[1];
  const auto status = static_cast<int>(std::clamp<std::int64_t>(parse_lax(code), 0, 9999));
  if (http::reason_phrase(status).empty()) {
    scope.complain("Unsupported HTTP response code " + code);
    return;
  }
  ErrorDocument document;
  if (equals_ignoring_case(action, "default")) {
    scope.settings().error_documents.insert_or_assign(status, document);
    return;
  }
  if (action.starts_with('/')) {
    document.kind = ErrorDocument::Kind::local_path;
  } else if (is_url(action)) {
    document.kind = ErrorDocument::Kind::url;
  } else {
    document.kind = ErrorDocument::Kind::text;
    if (action.starts_with('"')) action.erase(0, 1);
  }
  if (status == 401 && document.kind == ErrorDocument::Kind::url) {
    scope.warn("cannot use a full URL in a 401 ErrorDocument directive --- ignoring!",
               "Write a path or a text.");
    return;
  }
  if (!compile(scope, action, document)) return;
  if (document.kind == ErrorDocument::Kind::local_path) {
    scope.reading.part<LocalPaths>().documents.push_back(
        {&scope.server, action, statement.place()});
  }
  if (document.kind != ErrorDocument::Kind::text) document.target = std::move(action);
  scope.settings().error_documents.insert_or_assign(status, std::move(document));
}

constexpr std::string_view order =
    "the inner section's are asked first; a virtual host's before "
    "the main server's";
constexpr std::string_view alias = "alias_module";

constexpr auto table = std::to_array<Directive>({
    {"Redirect", anywhere, Arguments::one_two_or_three, redirect, order,
     "an optional status, then document to be redirected and destination URL", alias},
    {"RedirectMatch", anywhere, Arguments::two_or_three, redirect_match, order,
     "an optional status, then a regular expression and destination URL", alias},
    {"RedirectTemp", anywhere, Arguments::two, redirect_with<302>, order,
     "a document to be redirected, then the destination URL", alias},
    {"RedirectPermanent", anywhere, Arguments::two, redirect_with<301>, order,
     "a document to be redirected, then the destination URL", alias},
    {"RedirectRelative", anywhere, Arguments::flag, redirect_relative, "the innermost one counts",
     "whether clients are told a target that begins with / as it stands; Off: with the server's "
     "name in front",
     alias},
    {"ErrorDocument", anywhere, Arguments::two, error_document, "status by status",
     "Change responses for HTTP errors", "core_module"},
});

}  // namespace

std::span<const Directive> redirect_directives() { return table; }

}  // namespace steelyard::apacheconf
