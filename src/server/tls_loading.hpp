#pragma once

#include <optional>
#include <vector>

#include "server/configuration.hpp"
#include "server/keeper.hpp"
#include "server/pass_phrases.hpp"

// Loads what a configuration names for TLS: keys, certificates, lists.
//
// Threads: the main thread.

namespace steelyard::server {

// Names of the files in a directory (FileAccess::list).
std::expected<std::vector<std::string>, std::string> list_files(const std::string& directory);

// Fills `configuration.tls`. The keeper, if there is one, reads what the server's own rights do not
// reach; it has to have read the same configuration. Without `phrases` nobody is asked for any, and
// keys that have them are not looked at. The error: everything there is to say.
std::expected<void, std::vector<apacheconf::Diagnostic>> load_tls(Configuration& configuration,
                                                                  PassPhrases* phrases,
                                                                  Keeper* keeper = nullptr);

}  // namespace steelyard::server
