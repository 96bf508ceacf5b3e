#include "expr/require.hpp"

#include <utility>

#include "expr/access_order.hpp"
#include "expr/require_node.hpp"

namespace steelyard::expr {

Admission Require::decide(Evaluation& evaluation) const {
  const Facts& facts = evaluation.facts;
  const bool is_ordered = access_ == nullptr || access_->grants(facts);
  const bool any = access_ != nullptr && access_->satisfies_any(facts.text(TextFact::method));
  if (!is_ordered && !any) return Admission::denied_by_order;
  if (is_ordered && any) return Admission::allowed;
  if (tree_ == nullptr) return Admission::unruled;
  switch (tree_->judge(evaluation, RequireNode::Kind::all)) {
    case Verdict::granted:
      return Admission::allowed;
    case Verdict::failed:
      return Admission::failed;
    case Verdict::needs_user:
      return Admission::needs_user;
    default:
      return Admission::denied_by_require;
  }
}

bool Require::admits_strangers(std::string_view method) const {
  const bool is_ordered = access_ == nullptr || access_->grants_strangers(method);
  const bool any = access_ != nullptr && access_->satisfies_any(method);
  if (!is_ordered && !any) return false;
  if ((is_ordered && any) || tree_ == nullptr) return true;
  return tree_->judge_stranger(method, RequireNode::Kind::all) == Verdict::granted;
}

bool Require::needs_client_host() const {
  return (tree_ != nullptr && tree_->needs_client_host()) ||
         (access_ != nullptr && access_->needs_client_host());
}

bool Require::needs_groups() const { return tree_ != nullptr && tree_->needs_groups(); }

std::vector<std::string> Require::describe() const {
  std::vector<std::string> lines;
  if (access_ != nullptr) access_->describe(lines);
  if (tree_ != nullptr) tree_->describe("", lines);
  return lines;
}

std::shared_ptr<const Require> Require::merge(const std::shared_ptr<const Require>& outer,
                                              const std::shared_ptr<const Require>& inner,
                                              RequireMerge how) {
  if (outer == nullptr) return inner;
  if (inner == nullptr) return outer;
  auto merged = std::make_shared<Require>(*inner);
  if (inner->access_ == nullptr) merged->access_ = outer->access_;
  if (inner->tree_ == nullptr) {
    merged->tree_ = outer->tree_;
  } else if (outer->tree_ != nullptr && how != RequireMerge::replace) {
    RequireNode both(how == RequireMerge::both ? RequireNode::Kind::all : RequireNode::Kind::any);
    both.add(*outer->tree_);
    both.add(*inner->tree_);
    merged->tree_ = std::make_shared<const RequireNode>(std::move(both));
  }
  return merged;
}

std::shared_ptr<const Require> Require::without_tree(const std::shared_ptr<const Require>& whole) {
  if (whole == nullptr || whole->access_ == nullptr) return nullptr;
  auto rest = std::make_shared<Require>(*whole);
  rest->tree_ = nullptr;
  return rest;
}

}  // namespace steelyard::expr
