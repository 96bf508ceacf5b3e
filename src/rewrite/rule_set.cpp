#include "rewrite/rule_set.hpp"

namespace steelyard::rewrite {

namespace {

using Rules = std::vector<std::shared_ptr<const Rule>>;

void append(Rules& rules, const Rules& more) {
  rules.insert(rules.end(), more.begin(), more.end());
}

}  // namespace

Options merge(const Options& outer, const Options& inner) { return inner.written ? inner : outer; }

Inheritance inheritance(const Options& outer, const Options& own) {
  const Options inner = merge(outer, own);
  const bool takes_gifts = !inner.refuses_gifts;
  if (inner.inherits_before || (takes_gifts && outer.gives_down_before))
    return Inheritance::before_own;
  if (inner.inherits || (takes_gifts && outer.gives_down)) return Inheritance::behind_own;
  return Inheritance::none;
}

std::shared_ptr<const RuleSet> merge(const std::shared_ptr<const RuleSet>& outer,
                                     const std::shared_ptr<const RuleSet>& inner) {
  if (!outer || !inner) return inner ? inner : outer;
  auto merged = std::make_shared<RuleSet>(*inner);
  if (!merged->engine) merged->engine = outer->engine;
  merged->options = merge(outer->options, inner->options);
  if (merged->base.empty() && merged->options.merges_base) merged->base = outer->base;
  switch (inheritance(outer->options, inner->options)) {
    case Inheritance::before_own:
      merged->rules = outer->rules;
      append(merged->rules, inner->rules);
      break;
    case Inheritance::behind_own:
      append(merged->rules, outer->rules);
      break;
    case Inheritance::none:
      break;
  }
  return merged;
}

}  // namespace steelyard::rewrite
