#include "config/conditional.hpp"

#include <cstddef>

namespace steelyard::config {
namespace {

using Branch = Conditional::Branch;

struct Question {
  const expr::Facts& facts;
  Arena& arena;
  expr::Remarks& remarks;

  bool holds(const Conditional& conditional) const {
    if (!conditional.condition) return true;
    expr::Evaluation evaluation{facts, arena};
    const bool holds = conditional.condition->evaluate(evaluation).value_or(false);
    evaluation.tell(remarks);
    return holds;
  }
};

// Of a chain <If> <ElseIf> ... <Else> the first that holds.
void ask_all(const PathSettings& around, const Question& question,
             std::vector<const Conditional*>& found) {
  bool is_decided = false;
  for (const auto& conditional : around.conditionals) {
    if (conditional->branch == Branch::first) is_decided = false;
    if (is_decided || !question.holds(*conditional)) continue;
    is_decided = true;
    found.push_back(conditional.get());
  }
}

}  // namespace

ConditionalWalk::Found ConditionalWalk::walk(const PathSettings& outer, const expr::Facts& facts,
                                             Arena& arena, expr::Remarks& remarks) {
  const Question question{facts, arena, remarks};
  found_.clear();
  ask_all(outer, question, found_);
  for (std::size_t i = 0; i < found_.size(); ++i) ask_all(found_[i]->settings, question, found_);
  return found_;
}

}  // namespace steelyard::config
