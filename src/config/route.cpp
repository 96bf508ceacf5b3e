#include "config/route.hpp"

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/interpolate.hpp"
#include "config/path_prefix.hpp"
#include "config/servlet_path.hpp"
#include "http/path.hpp"

namespace steelyard::config {

namespace {

using Kind = RouteMatch::Kind;

// The two arguments of a ProxyPass with ${NAME} replaced where it asks for that.
struct Texts {
  std::string_view path;
  std::string_view target;
};

Texts texts_of(const Route& route, const RouteRequest& request, Arena& arena) {
  const std::string_view path = route.location.empty() ? route.path : route.location;
  if (!route.interpolate || request.environment == nullptr) return {path, route.target};
  return {interpolate(path, *request.environment, arena),
          interpolate(route.target, *request.environment, arena)};
}

RouteMatch proxied(const Route& route, std::string_view url) {
  return {.kind = Kind::proxied, .route = &route, .url = url};
}

RouteMatch excluded(const Route& route) { return {.kind = Kind::excluded, .route = &route}; }

// No reference was used: the whole path goes behind the target.
std::string_view replace(std::string_view target, const RegexMatch& match, std::string_view path,
                         Arena& arena) {
  const std::string_view url = substitute(target, match, arena);
  return url == target ? arena.join(target, path) : url;
}

RouteMatch match_regex(const Route& route, const Texts& texts, const RouteRequest& request,
                       Arena& arena) {
  RegexMatch match;
  if (!route.regex->search(request.path, match)) return {};
  if (route.excludes) return excluded(route);
  RegexMatch raw;
  if (route.raw_path && route.regex->search(request.raw_path, raw) &&
      (request.query.empty() || route.regex->search(arena.join(request.raw_path, request.query)))) {
    RouteMatch result = proxied(route, replace(texts.target, raw, request.raw_path, arena));
    result.canonical = true;
    return result;
  }
  RouteMatch result = proxied(route, replace(texts.target, match, request.path, arena));
  result.raw_path_refused = route.raw_path;
  return result;
}

// As in match_regex httpd compares the raw path with its query: behind a prefix that does not end
// in a slash '?' is not the boundary that a slash or the end would be.
bool raw_path_matches(std::string_view prefix, const RouteRequest& request, std::size_t covered) {
  if (prefix_length(prefix, request.raw_path) != covered) return false;
  const bool query_follows = !request.query.empty() && covered == request.raw_path.size();
  return !query_follows || prefix.ends_with('/');
}

RouteMatch match_prefix(const Route& route, const Texts& texts, const RouteRequest& request,
                        Arena& arena) {
  const std::optional<std::size_t> covered = prefix_length(texts.path, request.path);
  if (!covered) return {};
  if (route.excludes) return excluded(route);
  if (route.raw_path && raw_path_matches(texts.path, request, *covered)) {
    RouteMatch result = proxied(route, arena.join(texts.target, request.raw_path.substr(*covered)));
    result.canonical = true;
    return result;
  }
  RouteMatch result = proxied(route, arena.join(texts.target, request.path.substr(*covered)));
  result.raw_path_refused = route.raw_path;
  return result;
}

RouteMatch match_servlet(const Route& route, const Texts& texts, const RouteRequest& request,
                         Arena& arena) {
  const std::optional<ServletPath> path = match_servlet_path(texts.path, request.path, arena);
  if (!path) return {};
  if (route.excludes) return excluded(route);
  RouteMatch result = proxied(route, arena.join(texts.target, path->rest));
  result.path = path->path;
  return result;
}

}  // namespace

RouteMatch match_route(const Route& route, const RouteRequest& request, Arena& arena) {
  const Texts texts = texts_of(route, request, arena);
  if (route.mapping == PathMapping::plain) {
    return route.regex ? match_regex(route, texts, request, arena)
                       : match_prefix(route, texts, request, arena);
  }
  RouteMatch match;
  if (route.regex) {
    match = match_regex(route, texts, request, arena);
  } else if (route.mapping == PathMapping::servlet) {
    match = match_servlet(route, texts, request, arena);
  } else {
    match = match_prefix(route, texts, request, arena);
  }
  match.canonical = true;
  if (match.path.empty()) match.path = request.path;
  return match;
}

namespace {

bool is_encoded(const Route& route) { return route.mapping != PathMapping::plain; }

// The Location's route, then the list: the first that matches, among those that are asked at this
// stage.
RouteMatch search(const Server& server, const PathSettings& settings, const RouteRequest& request,
                  bool encoded, Arena& arena) {
  if (!request.path.starts_with('/')) return {};
  if (settings.route && is_encoded(*settings.route) == encoded) {
    const RouteMatch match = match_route(*settings.route, request, arena);
    if (match.kind != Kind::none) return match;
  }
  for (const Route& route : server.routes) {
    if (is_encoded(route) != encoded) continue;
    const RouteMatch match = match_route(route, request, arena);
    if (match.kind != Kind::none) return match;
  }
  return {};
}

}  // namespace

RouteMatch find_encoded_route(const Server& server, const PathSettings& settings,
                              const RouteRequest& request, Arena& arena) {
  const http::PathRules rules{EncodedSlashes::keep, server.merge_slashes};
  const auto path = http::normalise_encoded_path(request.raw_path, rules, arena);
  if (!path) return {};
  const RouteRequest encoded{*path, request.raw_path, request.environment, request.query};
  return search(server, settings, encoded, true, arena);
}

RouteMatch find_route(const Server& server, const PathSettings& settings,
                      const RouteRequest& request, Arena& arena) {
  return search(server, settings, request, false, arena);
}

}  // namespace steelyard::config
