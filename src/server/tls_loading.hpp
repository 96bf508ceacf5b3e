#pragma once

#include <optional>
#include <vector>

#include "server/configuration.hpp"
#include "server/keeper.hpp"

// Loads what a configuration names for TLS: keys, certificates, lists.
//
// Threads: the main thread.

namespace steelyard::server {

// Fills `configuration.tls`. The keeper, if there is one, reads what the server's own rights do not
// reach; it has to have read the same configuration. The error: everything there is to say.
std::expected<void, std::vector<apacheconf::Diagnostic>> load_tls(Configuration& configuration,
                                                                  Keeper* keeper = nullptr);

}  // namespace steelyard::server
