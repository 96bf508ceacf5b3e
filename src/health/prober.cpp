#include "health/prober.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "health/limits.hpp"
#include "health/target.hpp"

namespace steelyard::health {

namespace {

using balance::CheckMethod;

// Each balancer state of the generation once, with the first server that uses it.
struct Checked {
  const config::Server* server;
  std::shared_ptr<balance::Balancer> balancer;
};

std::vector<Checked> balancers_of(const proxy::Generation& generation) {
  std::vector<Checked> all;
  std::set<const balance::Balancer*> seen;
  for (const auto& server : generation.config().servers) {
    for (const proxy::Group& group : generation.groups_of(*server).balancers) {
      if (seen.insert(group.state.get()).second) all.push_back({server.get(), group.state});
    }
  }
  return all;
}

// A balancer that a virtual host has from the main server brings the names of its conditions.
const expr::Condition* condition_of(const config::Config& config, const config::Server& server,
                                    const balance::CheckSpec& check) {
  if (check.expression.empty()) return nullptr;
  const expr::Condition* own = server.health_conditions.find(check.expression);
  return own != nullptr ? own : config.servers[0]->health_conditions.find(check.expression);
}

}  // namespace

bool has_checks(const proxy::Generation& generation) {
  const auto is_checked = [](const balance::MemberSpec& member) {
    return member.check.method != CheckMethod::none;
  };
  for (const proxy::ServerGroups& groups : generation.groups()) {
    for (const proxy::Group& group : groups.balancers) {
      // The configuration's own: before a name led anywhere the state has no such member.
      if (std::ranges::any_of(group.spec->members, is_checked)) return true;
      const auto now = group.state->spec();
      if (std::ranges::any_of(now->members, is_checked)) return true;
    }
  }
  return false;
}

Prober::Prober(const ProberParts& parts) : parts_(parts) {}

Prober::~Prober() { stop(); }

void Prober::adopt(const std::shared_ptr<const proxy::Generation>& generation) {
  using Key = std::pair<const balance::Balancer*, const balance::Member*>;
  std::map<Key, std::unique_ptr<Target>> known;
  for (auto& target : targets_) known.emplace(target->key(), std::move(target));
  targets_.clear();
  for (const Checked& checked : balancers_of(*generation)) {
    for (balance::MemberView& view : checked.balancer->members()) {
      if (view.spec->check.method == CheckMethod::none) continue;
      if (view.spec->meaning != balance::NameMeaning::one_member) continue;  // no place yet
      auto rules = std::make_shared<TargetRules>();
      rules->generation = generation;
      rules->server = checked.server;
      rules->condition = condition_of(generation->config(), *checked.server, view.spec->check);
      rules->member = *view.spec;
      auto found = known.find({checked.balancer.get(), view.member.get()});
      targets_.push_back(
          found != known.end()
              ? std::move(found->second)
              : std::make_unique<Target>(parts_, under_way_, checked.balancer, view.member));
      targets_.back()->adopt(std::move(rules));
    }
  }
  first_ = 0;
  if (targets_.empty()) {
    look_.disarm();
  } else if (look_.deadline() == never) {
    look_.arm(parts_.loop.timers(), parts_.loop.now() + look_interval);
  }
}

void Prober::look() {
  look_.arm(parts_.loop.timers(), parts_.loop.now() + look_interval);
  for (const auto& target : targets_) target->tidy();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (under_way_ >= checks_under_way_max) {
      first_ = (first_ + i) % targets_.size();
      return;
    }
    Target& target = *targets_[(first_ + i) % targets_.size()];
    if (target.is_due()) target.begin();
  }
}

void Prober::stop() {
  look_.disarm();
  targets_.clear();
}

}  // namespace steelyard::health
