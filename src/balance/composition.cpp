#include "balance/composition.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::balance {

void Composition::configure(std::shared_ptr<const BalancerSpec> spec) {
  configured = std::move(spec);
  forget_unasked(answers, *configured);
  for (Superseded& change : rebase(overlay, *expanded(), names_vary()))
    superseded.push_back(std::move(change));
}

void Composition::take(NameMeaning meaning, const std::string& name, NameAnswer answer) {
  answers[{meaning, name}] = std::move(answer);
  forget_unasked(answers, *configured);
}

bool Composition::names_vary() const {
  return std::ranges::any_of(configured->members, [](const MemberSpec& member) {
    return member.meaning != NameMeaning::one_member;
  });
}

std::shared_ptr<const BalancerSpec> Composition::expanded() const {
  return expand(configured, answers);
}

std::shared_ptr<const BalancerSpec> Composition::result() const {
  return laid_over(expanded(), overlay);
}

}  // namespace steelyard::balance
