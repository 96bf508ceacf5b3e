// ProxyPass, ProxyPassMatch and ProxyPassReverse.

#include <algorithm>

#include "apacheconf/proxy_draft.hpp"
#include "apacheconf/proxy_handlers.hpp"
#include "apacheconf/proxy_parameters.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"
#include "config/servlet_path.hpp"

namespace steelyard::apacheconf {

namespace {

using config::PathMapping;
using config::Route;

constexpr std::string_view pass_prefix = "ProxyPass ";

// A ProxyPass line with its words in their roles.
struct PassLine {
  std::string path, target;
  bool is_regex = false;
  bool raw_path = false;
  bool interpolate = false;
  PathMapping mapping = PathMapping::plain;
  Parameters parameters;
};

bool read_mapping(Scope& scope, std::string_view value, PassLine& line) {
  if (equals_ignoring_case(value, "encoded")) {
    line.mapping = PathMapping::encoded;
  } else if (equals_ignoring_case(value, "servlet")) {
    line.mapping = PathMapping::servlet;
  } else {
    scope.complain("unknown mapping", "It is about 'mapping=" + std::string(value) +
                                          "': write mapping=encoded or mapping=servlet.");
    return false;
  }
  return true;
}

// A word behind path and target. False after a complaint.
bool read_option(Scope& scope, const std::string& word, PassLine& line) {
  if (equals_ignoring_case(word, "nocanon")) {
    line.raw_path = true;
  } else if (equals_ignoring_case(word, "interpolate")) {
    line.interpolate = true;
  } else if (equals_ignoring_case(word, "noquery")) {
    scope.note("noquery has no effect for HTTP members, as with httpd: the query is sent");
  } else if (starts_with_ignoring_case(word, "mapping=")) {
    return read_mapping(scope, std::string_view(word).substr(8), line);
  } else if (!line.parameters.add(word)) {
    scope.complain(
        scope.at_server_level()
            ? "Invalid ProxyPass|ProxyPassMatch parameter. Parameter must be in the form "
              "'key=value'."
            : "ProxyPass|ProxyPassMatch can not have a path when defined in a location.",
        without_equals(word));
    return false;
  }
  return true;
}

bool read_words(Scope& scope, const Statement& statement, PassLine& line) {
  const bool in_section = !scope.at_server_level();
  if (in_section) line.path = scope.frame().argument;
  bool has_path = in_section, has_target = false;
  for (const std::string& word : statement.words) {
    if (!has_path && word == "~" && !line.is_regex) {
      line.is_regex = true;
    } else if (!has_path) {
      line.path = word;
      has_path = true;
    } else if (!has_target) {
      line.target = word;
      has_target = true;
    } else if (!read_option(scope, word, line)) {
      return false;
    }
  }
  if (has_target) return true;
  scope.complain("ProxyPass|ProxyPassMatch needs a path when not defined in a location",
                 in_section ? "Write ProxyPass http://HOST:PORT/ inside the section."
                            : "Write ProxyPass /path http://HOST:PORT/path.");
  return false;
}

// httpd: references in the path make reuse a matter of choice, in the authority impossible.
void limit_reuse(Scope& scope, balance::MemberSpec& spec) {
  const std::size_t dollar = spec.name.find('$');
  if (dollar == spec.name.npos || dollar + 1 == spec.name.size() ||
      !is_digit(spec.name[dollar + 1])) {
    return;
  }
  if (spec.host.empty()) {
    if (spec.disable_reuse == false) {
      scope.warn("enablereuse=on is ignored: the host or port of " + spec.name +
                 " differs from request to request");
    }
    spec.disable_reuse = true;
  } else if (!spec.disable_reuse) {
    spec.disable_reuse = true;
  }
}

void define_backend(Scope& scope, const PassLine& line) {
  BackendDraft fresh{
      {}, scope.statement().place(), line.is_regex ? BackendKind::pattern : BackendKind::plain};
  const UrlKind kind = line.is_regex ? UrlKind::pattern : UrlKind::plain;
  if (!read_backend_url(scope, fresh.spec, line.target, pass_prefix, kind)) {
    check_parameters(scope, line.parameters, pass_prefix);
    return;
  }
  ServerDraft& server = draft_of(scope);
  if (const balance::MemberSpec* same = server.find_backend(fresh.spec.name, fresh.kind)) {
    if (same->name != fresh.spec.name) {
      scope.note("Sharing worker '" + same->name + "' instead of creating new worker '" +
                 fresh.spec.name + "'");
    }
    if (same->unix_socket_path != fresh.spec.unix_socket_path) {
      scope.warn("Sharing worker '" + same->name + "' although the sockets differ",
                 "Sockets are told apart by the URL behind '|': give each its own name, as in "
                 "unix:/run/b.sock|http://b/");
    }
    warn_of_ignored(scope, line.parameters, same->name);
    return;
  }
  set_parameters(scope, fresh.spec, line.parameters, {std::string(pass_prefix), {}});
  if (line.is_regex) limit_reuse(scope, fresh.spec);
  server.backends.push_back(std::move(fresh));
}

void define_target(Scope& scope, const PassLine& line) {
  if (!is_balancer_url(line.target)) {
    define_backend(scope, line);
    return;
  }
  BalancerDraft* const balancer = provide_balancer(scope, line.target, pass_prefix);
  if (balancer != nullptr) {
    set_parameters(scope, balancer->spec, line.parameters, {std::string(pass_prefix), {}});
  }
}

// The socket of "unix:/path|http://h/" belongs to the backend; URLs are compared without it.
std::string without_socket(std::string_view url) {
  const std::size_t bar = url.find('|');
  if (!starts_with_ignoring_case(url, "unix:") || bar == url.npos) return std::string(url);
  const std::string_view plain = url.substr(bar + 1);
  const bool lacks_host = plain.ends_with(':') || plain.ends_with("://");
  if (!lacks_host) return std::string(plain);
  return std::string(plain.substr(0, plain.find(':'))) + "://localhost";
}

bool has_too_many_segments(const PassLine& line) {
  return line.mapping == PathMapping::servlet &&
         std::ranges::count(line.path, '/') >
             static_cast<std::ptrdiff_t>(config::servlet_pattern_segments_max);
}

// nullopt after a complaint.
std::optional<Route> make_route(Scope& scope, const PassLine& line) {
  Route route;
  route.place = scope.statement().place();
  route.excludes = line.target == "!";
  route.target = balance::without_password(without_socket(line.target));
  route.raw_path = line.raw_path;
  route.interpolate = line.interpolate;
  route.mapping = line.mapping;
  if (!scope.at_server_level()) route.location = line.path;
  if (has_too_many_segments(line)) {
    scope.complain("mapping=servlet takes a path of at most 32 segments");
    return std::nullopt;
  }
  if (!line.is_regex) {
    if (scope.at_server_level()) route.path = line.path;
    return route;
  }
  auto regex = Regex::compile(line.path);
  if (!regex) {
    scope.complain("Regular expression could not be compiled.", regex.error());
    return std::nullopt;
  }
  route.regex = std::move(*regex);
  return route;
}

void pass(Scope& scope, const Statement& statement, bool is_match) {
  PassLine line;
  line.is_regex = is_match;
  if (!read_words(scope, statement, line)) return;
  if (!scope.at_server_level() && has_wildcards(line.path)) line.is_regex = true;
  std::optional<Route> route = make_route(scope, line);
  if (!route) return;
  if (!route->excludes) define_target(scope, line);
  if (scope.at_server_level()) {
    scope.server.routes.push_back(std::move(*route));
  } else {
    scope.settings().route = std::make_shared<const Route>(std::move(*route));
  }
}

}  // namespace

void handle_proxy_pass(Scope& scope, const Statement& statement) { pass(scope, statement, false); }

void handle_proxy_pass_match(Scope& scope, const Statement& statement) {
  pass(scope, statement, true);
}

void handle_proxy_pass_reverse(Scope& scope, const Statement& statement) {
  const std::vector<std::string>& words = statement.words;
  const auto says_interpolate = [&](std::size_t i) {
    return i < words.size() && equals_ignoring_case(words[i], "interpolate");
  };
  config::ReverseMap map;
  if (scope.at_server_level()) {
    if (words.size() < 2 || says_interpolate(1)) {
      scope.complain("ProxyPassReverse needs a path when not defined in a location",
                     "Write ProxyPassReverse /path http://HOST:PORT/path.");
      return;
    }
    map = {without_socket(words[1]), words[0], says_interpolate(2)};
  } else {
    if (words.size() > 1 && !says_interpolate(1)) {
      scope.complain("ProxyPassReverse can not have a path when defined in a location",
                     "Write ProxyPassReverse http://HOST:PORT/path inside the section.");
      return;
    }
    map = {without_socket(words[0]), scope.frame().argument, says_interpolate(1)};
  }
  scope.settings().reverse_urls.push_back(std::move(map));
}

}  // namespace steelyard::apacheconf
