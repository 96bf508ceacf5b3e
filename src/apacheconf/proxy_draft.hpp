#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apacheconf/scope.hpp"
#include "balance/spec.hpp"

// Balancers and direct backends while the configuration is being read. They grow over many lines,
// and what a virtual host inherits is known only at the end (proxy_finish.cpp).

namespace steelyard::apacheconf {

struct BalancerDraft {
  balance::BalancerSpec spec;
  config::Place place;                       // where it was named first
  std::vector<config::Place> member_places;  // one for each of spec.members
};

// Of ProxyPassMatch, or of any other line.
enum class BackendKind { plain, pattern };

struct BackendDraft {
  balance::MemberSpec spec;
  config::Place place;
  BackendKind kind = BackendKind::plain;
};

// What one server's own lines say.
struct ServerDraft {
  std::vector<std::unique_ptr<BalancerDraft>> balancers;
  std::vector<BackendDraft> backends;
  std::optional<bool> inherits_balancers;  // BalancerInherit
  std::optional<bool> inherits_routes;     // ProxyPassInherit
  std::optional<config::Place> persists;   // BalancerPersist On

  BalancerDraft* find_balancer(std::string_view url);
  // The backend whose name is the longest prefix of the URL and covers its authority. `of`: only
  // one of that kind (httpd: a plain line shares none with a pattern).
  balance::MemberSpec* find_backend(std::string_view url, std::optional<BackendKind> of = {});
};

struct ProxyDrafts {
  std::map<const config::Server*, ServerDraft> servers;
};

ServerDraft& draft_of(Scope& scope);

// config::covers_backend of two normalised URLs, at the speed that thousands of members need.
bool is_covered_by(std::string_view url, std::string_view name);

// Begins with "balancer:", in any case.
bool is_balancer_url(std::string_view url);
// Finds or makes; complains with `prefix` about a name that is none and returns nullptr.
BalancerDraft* provide_balancer(Scope& scope, std::string_view url, std::string_view prefix);

}  // namespace steelyard::apacheconf
