#pragma once

#include <string>
#include <vector>

#include "apacheconf/scope.hpp"

// Paths that httpd would answer with files of its own, and the pages that lines ask for there.

namespace steelyard::apacheconf {

struct LocalPath {
  const config::Server* server = nullptr;
  std::string path;
  config::Place place;
};

struct LocalPaths {
  std::vector<LocalPath> aliases;    // Alias, ScriptAlias
  std::vector<LocalPath> documents;  // ErrorDocument with a path
};

// Alias and its relatives.
void alias(Scope& scope, const Statement& statement);

// After the routes of all servers are known.
void warn_of_unserved_documents(Reading& reading);
// ProxyPass /img ! where a DocumentRoot has files for httpd, and nothing else here answers.
void warn_of_unserved_paths(Reading& reading);

}  // namespace steelyard::apacheconf
