#include "apacheconf/proxy_draft.hpp"

#include "base/text.hpp"
#include "config/target.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view balancer_scheme = "balancer:";

// "balancer://App/x" is the balancer "balancer://app". Empty: no name.
std::string name_of_balancer(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == url.npos || url.substr(colon, 3) != "://" || url.size() == colon + 3) return {};
  return to_lower(url.substr(0, url.find('/', colon + 3)));
}

}  // namespace

BalancerDraft* ServerDraft::find_balancer(std::string_view url) {
  const std::string name = name_of_balancer(url);
  for (const auto& balancer : balancers) {
    if (balancer->spec.name == name) return balancer.get();
  }
  return nullptr;
}

balance::MemberSpec* ServerDraft::find_backend(std::string_view url,
                                               std::optional<BackendKind> of) {
  balance::MemberSpec* best = nullptr;
  for (BackendDraft& backend : backends) {
    if (of && backend.kind != *of) continue;
    const std::string& name = backend.spec.name;
    if (best != nullptr && name.size() <= best->name.size()) continue;
    if (is_covered_by(url, name)) best = &backend.spec;
  }
  return best;
}

bool is_covered_by(std::string_view url, std::string_view name) {
  const bool may_be = url.starts_with(name) || name.find('$') != name.npos;
  return may_be && config::covers_backend(name, url);
}

ServerDraft& draft_of(Scope& scope) {
  return scope.reading.part<ProxyDrafts>().servers[&scope.server];
}

bool is_balancer_url(std::string_view url) {
  return starts_with_ignoring_case(url, balancer_scheme);
}

BalancerDraft* provide_balancer(Scope& scope, std::string_view url, std::string_view prefix) {
  ServerDraft& server = draft_of(scope);
  if (BalancerDraft* known = server.find_balancer(url)) return known;
  std::string name = name_of_balancer(url);
  if (name.empty()) {
    scope.complain(
        std::string(prefix) + "Bad syntax for a balancer name (" + std::string(url) + ')',
        "Write balancer://NAME.");
    return nullptr;
  }
  auto draft = std::make_unique<BalancerDraft>();
  draft->spec.name = std::move(name);
  draft->place = scope.statement().place();
  return server.balancers.emplace_back(std::move(draft)).get();
}

}  // namespace steelyard::apacheconf
