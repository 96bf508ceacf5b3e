#include "apacheconf/aliases.hpp"

#include <algorithm>
#include <set>

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

bool overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// A page of ours or another server's, or an Alias, which is told by itself. What a pattern covers
// only requests can tell.
bool may_be_answered(const LocalPaths& paths, const config::Server& server,
                     const config::Route& route, const config::Server& main) {
  if (server.rewriting != nullptr || !server.redirects.empty()) return true;
  for (const config::Section& section : server.locations) {
    const bool answers = section.settings.responder || !section.settings.redirects.empty() ||
                         section.settings.rewriting != nullptr;
    const bool covers =
        section.kind != config::Section::Kind::prefix || overlap(section.pattern, route.path);
    if (answers && covers) return true;
  }
  return std::ranges::any_of(paths.aliases, [&](const LocalPath& alias) {
    return (alias.server == &server || alias.server == &main) && overlap(alias.path, route.path);
  });
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

void warn_of_unserved_paths(Reading& reading) {
  const LocalPaths& paths = reading.part<LocalPaths>();
  std::set<std::pair<const std::string*, std::uint32_t>> told;  // virtual hosts inherit routes
  for (const std::unique_ptr<config::Server>& server : reading.config->servers) {
    if (server->document_root.empty()) continue;
    for (const config::Route& route : server->routes) {
      if (!route.excludes || route.regex || !route.location.empty()) continue;
      if (may_be_answered(paths, *server, route, *reading.config->servers[0])) continue;
      if (!told.emplace(route.place.file.get(), route.place.line).second) continue;
      reading.warn_at(
          route.place,
          "ProxyPass " + route.path +
              " !: httpd has files of the DocumentRoot for it; no files are served "
              "here, so it is answered with 404",
          "Let a member serve them: ProxyPass " + route.path + " http://HOST" + route.path);
    }
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
