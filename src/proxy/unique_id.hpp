#pragma once

#include <optional>
#include <string_view>

#include "proxy/exchange.hpp"

// mod_unique_id: UNIQUE_ID names a request among those of all servers, in httpd's length and
// alphabet. Made when it is asked for, always the same for one exchange. Threads: the shard's.

namespace steelyard::proxy {

// No value: the module is not loaded.
std::optional<std::string_view> unique_id(const Exchange& x);

}  // namespace steelyard::proxy
