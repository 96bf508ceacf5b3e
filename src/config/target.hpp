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
  // connection is not kept and `scheme`, `host` and `port` say where to.
  std::optional<std::uint32_t> balancer, backend;
  // With neither: the backend whose time-outs and limits count. Its URL has $1... in host or port,
  // so it has no address of its own.
  std::optional<std::uint32_t> pattern;
  // As written; IPv6 in its brackets. A balancer may go without host and port.
  std::string_view scheme, host;
  std::uint16_t port = 0;  // the scheme's default when none was written; 0: unknown scheme
  // What follows the authority; "/" when nothing does. For a balancer it goes behind the member's
  // URL; for a backend it is all of the path, the backend's path_prefix included.
  std::string_view path;
};

// `match.url` must be absolute: nullopt otherwise (400). `asked`: what it becomes on the wire, path
// encoded and with the query, by which httpd looks for a backend; empty: the same.
std::optional<Target> split_target(const Server& server, const RouteMatch& match,
                                   std::string_view asked = {});

// The direct backend whose name is the longest prefix of the URL and covers its scheme and
// authority. `$1`... in the names of backends of regex routes stand for any text; httpd wants the
// URL to be as long as the name all the same.
std::optional<std::uint32_t> find_backend(const Server& server, std::string_view url);
// By the part before the path, ignoring case.
std::optional<std::uint32_t> find_balancer(const Server& server, std::string_view url);

// Whether requests to `url` belong to a backend of that name; also how configuration lines share
// one.
bool covers_backend(std::string_view name, std::string_view url);

// Fills Route::balancer and Route::backend wherever the target alone decides.
void resolve_targets(Server& server);

}  // namespace steelyard::config
