#include "apacheconf/tables.hpp"

#include <map>

#include "base/check.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

std::vector<const Directive*> join_tables() {
  std::vector<const Directive*> joined;
  for (const std::span<const Directive> table :
       {reading_directives(), section_directives(), server_directives(), client_directives(),
        log_directives(), process_directives(), proxy_directives(), access_directives(),
        header_directives(), redirect_directives(), content_directives(), refused_directives()}) {
    for (const Directive& directive : table) joined.push_back(&directive);
  }
  return joined;
}

std::map<std::string, const Directive*, std::less<>> index_tables() {
  std::map<std::string, const Directive*, std::less<>> index;
  for (const Directive* directive : all_directives()) {
    const bool is_new = index.emplace(to_lower(directive->name), directive).second;
    CHECK(is_new);  // a directive stands in one table only
  }
  return index;
}

}  // namespace

const std::vector<const Directive*>& all_directives() {
  static const std::vector<const Directive*> joined = join_tables();
  return joined;
}

const Directive* find_directive(std::string_view name) {
  static const std::map<std::string, const Directive*, std::less<>> index = index_tables();
  const auto found = index.find(to_lower(name));
  return found == index.end() ? nullptr : found->second;
}

}  // namespace steelyard::apacheconf
