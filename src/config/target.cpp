#include "config/target.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "balance/scheme.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"

namespace steelyard::config {

namespace {

struct UrlParts {
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;
  // Up to and with the authority, without a port that the scheme has anyway.
  std::string_view base;
  std::string_view host;
  std::uint16_t port = 0;
};

void read_host_and_port(UrlParts& parts) {
  std::string_view text = parts.authority;
  if (const std::size_t at = text.rfind('@'); at != text.npos) text.remove_prefix(at + 1);
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
  parts.host = text.substr(0, colon);
  parts.port = balance::default_port(parts.scheme);
  if (colon == text.npos) return;
  const std::optional<std::uint64_t> port = parse_unsigned(text.substr(colon + 1));
  const bool is_default = port && *port == parts.port;
  if (port && *port <= 65535) parts.port = static_cast<std::uint16_t>(*port);
  if (is_default || colon + 1 == text.size()) parts.base.remove_suffix(text.size() - colon);
}

// Done for every request: find_first_of would make a call for each byte.
std::size_t authority_end(std::string_view url, std::size_t begin) {
  std::size_t end = begin;
  while (end < url.size() && url[end] != '/' && url[end] != '?' && url[end] != '#') ++end;
  return end;
}

std::optional<UrlParts> split_url(std::string_view url) {
  UrlParts parts;
  const std::size_t colon = url.find("://");
  if (colon == url.npos || colon == 0) return std::nullopt;
  const std::size_t begin = colon + 3;
  const std::size_t end = authority_end(url, begin);
  parts.scheme = url.substr(0, colon);
  parts.authority = url.substr(begin, end - begin);
  parts.path = url.substr(end);
  parts.base = url.substr(0, end);
  read_host_and_port(parts);
  return parts;
}

bool has_reference(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '$' && (is_digit(text[i + 1]) || text[i + 1] == '{')) return true;
  }
  return false;
}

std::size_t next_reference(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '$' && is_digit(text[i + 1])) return i;
  }
  return text.npos;
}

// `pattern` is a prefix of `text` when each $N stands for any text. As the end is open, the first
// place where the next literal occurs is as good as any later one: one pass, no backtracking.
bool is_prefix_with_references(std::string_view pattern, std::string_view text) {
  std::size_t reference = next_reference(pattern);
  if (!text.starts_with(pattern.substr(0, reference))) return false;
  text.remove_prefix(std::min(reference, text.size()));
  while (reference != pattern.npos) {
    pattern.remove_prefix(reference + 2);
    reference = next_reference(pattern);
    const std::string_view literal = pattern.substr(0, reference);
    const std::size_t at = text.find(literal);
    if (at == text.npos) return false;
    text.remove_prefix(at + literal.size());
  }
  return true;
}

// A name covers at least scheme and authority; these compare without case, the path with it.
bool name_covers(std::string_view name, const UrlParts& url, std::string_view whole) {
  if (has_reference(name)) return is_prefix_with_references(name, whole);
  return starts_with_ignoring_case(name, url.base) &&
         url.path.starts_with(name.substr(url.base.size()));
}

std::optional<std::uint32_t> find_backend(const Server& server, const UrlParts& parts,
                                          std::string_view url) {
  // Names have no passwords.
  if (parts.authority.find('@') != url.npos) {
    const std::string shown = balance::without_password(url);
    if (shown != url) return find_backend(server, *split_url(shown), shown);
  }
  std::optional<std::uint32_t> best;
  for (std::size_t i = 0; i < server.backends.size(); ++i) {
    const std::string& name = server.backends[i]->name;
    if (name.size() > url.size()) continue;
    if (best && name.size() <= server.backends[*best]->name.size()) continue;
    if (name_covers(name, parts, url)) best = static_cast<std::uint32_t>(i);
  }
  return best;
}

std::optional<std::uint32_t> find_balancer(const Server& server, const UrlParts& parts) {
  for (std::size_t i = 0; i < server.balancers.size(); ++i) {
    if (equals_ignoring_case(server.balancers[i]->name, parts.base)) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return std::nullopt;
}

bool is_balancer_url(std::string_view url) { return starts_with_ignoring_case(url, "balancer://"); }

}  // namespace

std::optional<std::uint32_t> find_backend(const Server& server, std::string_view url) {
  const std::optional<UrlParts> parts = split_url(url);
  return parts ? find_backend(server, *parts, url) : std::nullopt;
}

std::optional<std::uint32_t> find_balancer(const Server& server, std::string_view url) {
  const std::optional<UrlParts> parts = split_url(url);
  return parts ? find_balancer(server, *parts) : std::nullopt;
}

bool covers_backend(std::string_view name, std::string_view written) {
  const std::string url = balance::without_password(written);
  const std::optional<UrlParts> parts = split_url(url);
  return parts && name.size() <= url.size() && name_covers(name, *parts, url);
}

std::optional<Target> split_target(const Server& server, const RouteMatch& match,
                                   std::string_view asked) {
  // Where the route alone decides, its target begins with this, and nobody asks for the host.
  if (match.route != nullptr && match.route->balancer) {
    constexpr std::size_t authority = std::string_view("balancer://").size();
    const std::string_view path = match.url.substr(authority_end(match.url, authority));
    Target target;
    target.balancer = match.route->balancer;
    target.scheme = match.url.substr(0, authority - 3);
    target.path = path.empty() ? std::string_view("/") : path;
    return target;
  }
  const std::optional<UrlParts> parts = split_url(match.url);
  if (!parts) return std::nullopt;
  Target target;
  target.scheme = parts->scheme;
  target.host = parts->host;
  target.port = parts->port;
  target.path = parts->path.empty() ? std::string_view("/") : parts->path;
  if (match.route != nullptr && (match.route->balancer || match.route->backend)) {
    target.balancer = match.route->balancer;
    target.backend = match.route->backend;
  } else if (is_balancer_url(match.url)) {
    target.balancer = find_balancer(server, *parts);
  } else {
    target.backend =
        asked.empty() ? find_backend(server, *parts, match.url) : find_backend(server, asked);
    if (target.backend && server.backends[*target.backend]->host.empty()) {
      target.pattern = std::exchange(target.backend, std::nullopt);
    }
  }
  return target;
}

namespace {

// Whatever is glued behind the target cannot change its authority.
bool has_fixed_authority(const Route& route, const UrlParts& target) {
  const bool depends_on_request = has_reference(target.base) || has_reference(target.authority);
  if (depends_on_request) return false;
  if (!target.path.empty()) return true;
  if (route.regex) return !has_reference(route.target);  // then the whole path follows
  const std::string& pattern = route.location.empty() ? route.path : route.location;
  return !pattern.ends_with('/');
}

// The direct backends of a server, by the base of their URLs. They are looked up once for each
// route, so a search through all of them would cost the square of their number.
class BackendIndex {
 public:
  explicit BackendIndex(const Server& server) {
    for (std::size_t i = 0; i < server.backends.size(); ++i) {
      add(server.backends[i]->name, static_cast<std::uint32_t>(i));
    }
  }

  // The one that all requests to the target belong to. Another backend of that authority could be a
  // longer prefix of what results, so there must be none.
  std::optional<std::uint32_t> find_only(const Server& server, std::string_view url,
                                         const UrlParts& target) const {
    if (any_may_match_) return std::nullopt;
    const auto found = by_base_.find(to_lower(target.base));
    if (found == by_base_.end() || found->second.is_shared) return std::nullopt;
    const std::uint32_t number = found->second.number;
    return name_covers(server.backends[number]->name, target, url) ? std::optional(number)
                                                                   : std::nullopt;
  }

 private:
  struct Place {
    std::uint32_t number;
    bool is_shared;
  };

  void add(std::string_view name, std::uint32_t number) {
    const std::optional<UrlParts> parts = split_url(name);
    if (!parts || has_reference(parts->authority)) {
      any_may_match_ = true;
      return;
    }
    const auto [place, is_new] =
        by_base_.try_emplace(to_lower(parts->base), Place{number, has_reference(name)});
    if (!is_new) place->second.is_shared = true;
  }

  std::unordered_map<std::string, Place> by_base_;
  bool any_may_match_ = false;  // some name holds $1... in host or port
};

struct Destination {
  std::optional<std::uint32_t> balancer, backend;
  bool operator==(const Destination&) const = default;
};

Destination destination(const Server& server, const BackendIndex& backends, const Route& route) {
  const std::optional<UrlParts> target = split_url(route.target);
  if (!target || route.excludes || !has_fixed_authority(route, *target)) return {};
  if (is_balancer_url(route.target)) return {find_balancer(server, *target), std::nullopt};
  return {std::nullopt, backends.find_only(server, route.target, *target)};
}

void set_destination(Route& route, const Destination& where) {
  route.balancer = where.balancer;
  route.backend = where.backend;
}

}  // namespace

// What a virtual host inherits leads mostly where it leads in the main server, so that only few
// routes and sections need a copy of their own.
void resolve_targets(Server& server) {
  const BackendIndex backends(server);
  server.has_encoded_routes = false;
  const auto moved = [&](const Route& route) -> std::optional<Destination> {
    if (route.mapping != PathMapping::plain) server.has_encoded_routes = true;
    const Destination where = destination(server, backends, route);
    return where == Destination{route.balancer, route.backend} ? std::nullopt
                                                               : std::optional(where);
  };
  for (std::size_t i = 0; i < server.routes.size(); ++i) {
    if (const auto where = moved(server.routes[i])) set_destination(server.routes.own(i), *where);
  }
  for (std::size_t i = 0; i < server.locations.size(); ++i) {
    const std::shared_ptr<const Route>& written = server.locations[i].settings.route;
    if (!written) continue;
    const auto where = moved(*written);
    if (!where) continue;
    auto route = std::make_shared<Route>(*written);
    set_destination(*route, *where);
    server.locations.own(i).settings.route = std::move(route);
  }
}

}  // namespace steelyard::config
