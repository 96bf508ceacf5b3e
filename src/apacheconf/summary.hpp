#pragma once

#include <string>

#include "apacheconf/directive.hpp"
#include "config/config.hpp"

// What -S, -M, -L and -l print, and the page docs/directives.md: all from the Config and the
// tables.

namespace steelyard::apacheconf {

// The two parts of -S. The ids are those of User and Group as the system knows them; empty: left
// out.
std::string describe_hosts(const config::Config& config);
std::string describe_run(const config::Config& config, const std::string& user_id = {},
                         const std::string& group_id = {});
std::string describe_certificates(const config::Config& config);  // -t -D DUMP_CERTS
std::string describe_modules(const config::Config& config);       // -M
std::string list_directives();                                    // -L
std::string list_compiled_modules();                              // -l
std::string directives_page();                                    // docs/directives.md
// Where a directive may stand: "main server, VirtualHost".
std::string contexts_text(Contexts contexts);

}  // namespace steelyard::apacheconf
