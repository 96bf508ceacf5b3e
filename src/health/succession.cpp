#include "health/succession.hpp"

#include <set>
#include <tuple>
#include <utility>

namespace steelyard::health {

namespace {

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

std::vector<WantedCheck> wanted_checks(const std::shared_ptr<const proxy::Generation>& generation) {
  std::vector<WantedCheck> wanted;
  std::unordered_map<Question, std::size_t, QuestionHash> shared;
  for (const Checked& checked : balancers_of(*generation)) {
    for (balance::MemberView& view : checked.balancer->members()) {
      const balance::CheckSpec& check = view.spec->check;
      if (check.method == balance::CheckMethod::none) continue;
      if (view.spec->meaning != balance::NameMeaning::one_member) continue;  // no place yet
      auto rules = std::make_shared<TargetRules>();
      rules->generation = generation;
      rules->server = checked.server;
      rules->condition = condition_of(generation->config(), *checked.server, check);
      rules->member = *view.spec;
      rules->balancer = checked.balancer->name();
      std::optional<Question> question;
      if (check.is_shared) {
        question = question_of(plan_for(*rules));
        const auto [at, is_first] = shared.try_emplace(*question, wanted.size());
        if (!is_first) {
          wanted[at->second].askers.push_back(
              {checked.balancer, view.member, std::move(rules), view.check_counts});
          continue;
        }
      }
      WantedCheck& one = wanted.emplace_back();
      one.question = std::move(question);
      one.askers.push_back({checked.balancer, view.member, std::move(rules), view.check_counts});
    }
  }
  return wanted;
}

Prober::Succession::Succession(const ProberParts& parts, std::size_t& under_way,
                               std::vector<std::unique_ptr<Target>> earlier)
    : parts_(parts), under_way_(under_way), earlier_(std::move(earlier)) {
  for (std::size_t at = 0; at < earlier_.size(); ++at) {
    const Target& target = *earlier_[at];
    for (const Asker& asker : target.askers())
      by_member_.emplace(asker.key(), Known{at, target.last_end()});
    if (target.is_shared()) by_question_.emplace(target.question(), at);
  }
}

std::vector<std::unique_ptr<Prober::Target>> Prober::Succession::settle(
    std::vector<WantedCheck> wanted) {
  std::vector<std::unique_ptr<Target>> targets;
  targets.reserve(wanted.size());
  for (const WantedCheck& one : wanted) targets.push_back(same(one));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!targets[i]) targets[i] = nearest(wanted[i]);
    if (!targets[i]) targets[i] = made_for(wanted[i]);
    targets[i]->adopt(std::move(wanted[i].askers));
  }
  return targets;
}

const Prober::Succession::Known* Prober::Succession::known(const Asker& asker) const {
  const auto found = by_member_.find(asker.key());
  return found != by_member_.end() ? &found->second : nullptr;
}

std::unique_ptr<Prober::Target> Prober::Succession::same(const WantedCheck& wanted) {
  if (wanted.question) {
    const auto found = by_question_.find(*wanted.question);
    return found != by_question_.end() ? std::move(earlier_[found->second]) : nullptr;
  }
  const Known* const own = known(wanted.askers.front());
  if (own == nullptr || !earlier_[own->at] || earlier_[own->at]->is_shared()) return nullptr;
  return std::move(earlier_[own->at]);
}

std::unique_ptr<Prober::Target> Prober::Succession::nearest(const WantedCheck& wanted) {
  std::unique_ptr<Target>* best = nullptr;
  std::pair<bool, Instant> best_rank;
  for (const Asker& asker : wanted.askers) {
    const Known* const own = known(asker);
    if (own == nullptr || !earlier_[own->at]) continue;
    const bool asks_the_same = wanted.question && earlier_[own->at]->question() == *wanted.question;
    const std::pair rank{asks_the_same, own->last_end};
    if (best != nullptr && rank <= best_rank) continue;
    best = &earlier_[own->at];
    best_rank = rank;
  }
  return best != nullptr ? std::move(*best) : nullptr;
}

std::unique_ptr<Prober::Target> Prober::Succession::made_for(const WantedCheck& wanted) {
  std::optional<Instant> begins;
  for (const Asker& asker : wanted.askers) {
    if (const Known* const own = known(asker); own != nullptr)
      begins = std::max(begins.value_or(own->last_end), own->last_end);
  }
  return std::make_unique<Target>(parts_, under_way_, begins.value_or(parts_.loop.now()));
}

}  // namespace steelyard::health
