#include "apacheconf/tables.hpp"

#include <map>

#include "base/check.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using Index = std::map<std::string, const Directive*, std::less<>>;

struct Table {
  std::vector<const Directive*> rows;
  Index by_name;
};

Table join_tables() {
  Table table;
  for (const std::span<const Directive> part :
       {reading_directives(),     section_directives(),     server_directives(),
        client_directives(),      http2_directives(),       log_directives(),
        process_directives(),     trace_directives(),       proxy_directives(),
        forward_directives(),     fcgi_directives(),        health_directives(),
        access_directives(),      auth_directives(),        header_directives(),
        redirect_directives(),    rewrite_directives(),     content_directives(),
        compression_directives(), heartbeat_directives(),   remote_ip_directives(),
        cluster_directives(),     tls_directives(),         tls_ocsp_directives(),
        tls_path_directives(),    tls_backend_directives(), dormant_directives()}) {
    for (const Directive& directive : part) {
      const bool is_new = table.by_name.emplace(to_lower(directive.name), &directive).second;
      CHECK(is_new);  // a directive stands in one table only
      table.rows.push_back(&directive);
    }
  }
  for (const Directive& directive : refused_directives()) {
    const bool is_new = table.by_name.emplace(to_lower(directive.name), &directive).second;
    if (is_new) table.rows.push_back(&directive);
  }
  return table;
}

const Table& joined_table() {
  static const Table table = join_tables();
  return table;
}

}  // namespace

const std::vector<const Directive*>& all_directives() { return joined_table().rows; }

const Directive* find_directive(std::string_view name) {
  const Index& index = joined_table().by_name;
  const auto found = index.find(to_lower(name));
  return found == index.end() ? nullptr : found->second;
}

}  // namespace steelyard::apacheconf
