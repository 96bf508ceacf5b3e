#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/config.hpp"

// Where a proxied URL leads: a balancer of the server, one of its direct backends, or a place that
// nothing was configured for (httpd: worker lookup, balancer.md 16).

namespace steelyard::config {

struct Target {
  // At most one of them: indexes into server.balancers and server.backends. With neither the
  // connection is not kept and takes its defaults; `scheme`, `host` and `port` say where to.
  std::optional<std::uint32_t> balancer, backend;
  std::string_view scheme, host;  // as written; IPv6 without brackets
  std::uint16_t port = 0;         // the scheme's default when none was written; 0: unknown scheme
  std::string_view path;          // what follows the authority; begins with '/' or is empty
};

// `match.url` must be absolute: nullopt otherwise (400).
std::optional<Target> split_target(const Server& server, const RouteMatch& match);

// The direct backend whose name is the longest prefix of the URL and covers its scheme and
// authority. `$1`... in the names of backends of regex routes stand for any text.
std::optional<std::uint32_t> find_backend(const Server& server, std::string_view url);
// By the part before the path, ignoring case.
std::optional<std::uint32_t> find_balancer(const Server& server, std::string_view url);

// Fills Route::balancer and Route::backend wherever the target alone decides.
void resolve_targets(Server& server);

}  // namespace steelyard::config
