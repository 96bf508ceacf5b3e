#include "apacheconf/aliases.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

bool has_alias(const LocalPaths& paths, const LocalPath& document, const config::Server& main) {
  return std::ranges::any_of(paths.aliases, [&](const LocalPath& alias) {
    const bool holds = alias.server == document.server || alias.server == &main;
    return holds && document.path.starts_with(alias.path);
  });
}

// The first route that covers the path; null: none, or only a request can tell.
const config::Route* route_of(const LocalPath& document) {
  for (const config::Route& route : document.server->routes) {
    if (!route.regex && document.path.starts_with(route.path)) return &route;
  }
  return nullptr;
}

}  // namespace

void alias(Scope& scope, const Statement& statement) {
  const std::string path = statement.words.empty() ? std::string() : statement.words[0];
  scope.warn(statement.name + ' ' + path +
                 ": no files are served, so the path is answered like "
                 "any other",
             "Let a member serve the files and write ProxyPass for the path.");
  const bool is_pattern = to_lower(statement.name).ends_with("match");
  if (!is_pattern && path.starts_with('/')) {
    scope.reading.part<LocalPaths>().aliases.push_back({&scope.server, path, statement.place()});
  }
}

void warn_of_unserved_documents(Reading& reading) {
  const LocalPaths& paths = reading.part<LocalPaths>();
  for (const LocalPath& document : paths.documents) {
    const config::Route* const route = route_of(document);
    const bool is_excluded = route != nullptr && route->excludes;
    const bool is_file =
        route == nullptr && has_alias(paths, document, *reading.config->servers[0]);
    if (!is_excluded && !is_file) continue;
    reading.warn_at(document.place,
                    "ErrorDocument " + document.path +
                        ": no files are served and no member is asked for this path, so the page "
                        "will not be found",
                    "Write the text in the ErrorDocument, or let a member serve the path.");
  }
}

}  // namespace steelyard::apacheconf
