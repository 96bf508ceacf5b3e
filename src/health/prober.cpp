#include "health/prober.hpp"

#include <algorithm>
#include <utility>

#include "health/limits.hpp"
#include "health/succession.hpp"

namespace steelyard::health {

bool has_checks(const proxy::Generation& generation) {
  const auto is_checked = [](const balance::MemberSpec& member) {
    return member.check.method != balance::CheckMethod::none;
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
  targets_ = Succession(parts_, under_way_, std::move(targets_)).settle(wanted_checks(generation));
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
