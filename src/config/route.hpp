#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "base/regex.hpp"
#include "config/path_settings.hpp"

// A route: the mapping of paths to a balancer or a backend (ProxyPass, ProxyPassMatch).
//
//   raw path ──▶ find_encoded_route ──▶ (decode) ──▶ find_route ──▶ RouteMatch ──▶ split_target
//                mapping=encoded                     the Location's route, then the server's list
//
// The target and the rest of the path are glued as text, as httpd does; slashes are the
// configuration's business. Nothing here allocates but in the arena.

namespace steelyard::config {

struct Server;

enum class PathMapping : std::uint8_t { plain, encoded, servlet };

struct Route {
  std::string path;            // prefix; empty for a regex or a route inside a <Location>
  std::optional<Regex> regex;  // ProxyPassMatch, ProxyPass ~
  std::string location;        // the <Location> it stands in, empty at server level
  bool excludes = false;       // target `!`
  std::string target;          // "balancer://app/x", "http://h:81/y"; may hold $1..$9
  bool raw_path = false;       // nocanon
  bool interpolate = false;
  PathMapping mapping = PathMapping::plain;
  Place place;

  // Where the target leads, when its scheme and authority are fixed text: an index into the
  // server's balancers or backends. Neither: the URL that results decides at run time.
  std::optional<std::uint32_t> balancer, backend;
};

struct RouteRequest {
  std::string_view path;      // decoded, dot segments and doubled slashes gone
  std::string_view raw_path;  // as received, without the query
  // Given when ProxyPassInterpolateEnv is On: what ${NAME} in routes and reverse maps stands for.
  const expr::Environment* environment = nullptr;
  std::string_view query{};  // behind raw_path, with its '?'; empty: none
};

struct RouteMatch {
  enum class Kind : std::uint8_t { none, excluded, proxied } kind = Kind::none;
  const Route* route = nullptr;
  const ProxyHandler* handler = nullptr;  // instead of a route: SetHandler "proxy:..."
  bool is_forward = false;  // instead of both: the client named the place (ProxyRequests)
  // Complete target URL without query: target + rest of the path. Decoded unless `canonical`.
  std::string_view url{};
  bool canonical = false;  // url holds the path as it goes out: no encoding step follows
  // nocanon was asked for but the raw path does not match as the decoded one does; httpd warns
  // (AH01136) and goes on with the decoded path.
  bool raw_path_refused = false;
  // Only from find_encoded_route: what sections and rules see as the request's path from now on.
  std::string_view path{};
};

// Tries one route; the texts of the result live in the arena or in the arguments. For a route with
// another mapping than plain, `request.path` is the normalised but still encoded path.
RouteMatch match_route(const Route& route, const RouteRequest& request, Arena& arena);

// Before the path is decoded, when server.has_encoded_routes: only routes with mapping=encoded or
// servlet. `excluded` ends the search, find_route is then not asked either. A path that cannot be
// normalised matches nothing. `settings` are those of the sections that cover the path.
RouteMatch find_encoded_route(const Server& server, const PathSettings& settings,
                              const RouteRequest& request, Arena& arena);

// The route of the merged <Location> sections, then the server's list: the first match counts.
RouteMatch find_route(const Server& server, const PathSettings& settings,
                      const RouteRequest& request, Arena& arena);

}  // namespace steelyard::config
