#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "base/regex.hpp"
#include "config/path_settings.hpp"

// A route: the mapping of paths to a balancer or a backend (ProxyPass, ProxyPassMatch).

namespace steelyard::config {

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
  // Target text behind the balancer's or backend's own URL, e.g. "/x" (balancers only).
};

struct RouteRequest {
  std::string_view path;      // decoded, dot segments and doubled slashes gone
  std::string_view raw_path;  // as received, without the query
};

struct RouteMatch {
  enum class Kind : std::uint8_t { none, excluded, proxied } kind = Kind::none;
  const Route* route = nullptr;
  // Complete target URL without query: target + rest of the path. Decoded unless `canonical`.
  std::string_view url;
  bool canonical = false;  // url holds the path as it goes out: no encoding step follows
};

// Tries one route; the texts of the result live in the arena or in the arguments.
RouteMatch match_route(const Route& route, const RouteRequest& request, Arena& arena);

}  // namespace steelyard::config
