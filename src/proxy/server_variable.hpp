#pragma once

#include <optional>
#include <string_view>

#include "proxy/exchange.hpp"

// What mod_ssl tells of a request beside its own variables, by %{NAME}s in headers and %{NAME}x in
// logs, with or without TLS. Threads: the shard's.

namespace steelyard::proxy {

// In any case of letters; also HTTP:field and ENV:variable. No value: mod_ssl is not loaded, knows
// no such name, or there is nothing to tell.
std::optional<std::string_view> server_variable(const Exchange& x, std::string_view name);

}  // namespace steelyard::proxy
