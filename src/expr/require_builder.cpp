#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "expr/access_order.hpp"
#include "expr/require.hpp"
#include "expr/require_node.hpp"

namespace steelyard::expr {
namespace {

using Kind = RequireNode::Kind;

Kind kind_of(RequireContainer container) {
  switch (container) {
    case RequireContainer::all:
      return Kind::all;
    case RequireContainer::any:
      return Kind::any;
    case RequireContainer::none:
      return Kind::none;
  }
  return Kind::any;
}

std::unexpected<Complaint> refused(std::string text, std::string advice) {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

// A container that is being read. A line that was refused has had its complaint: the container
// does not earn another one for being empty.
struct OpenContainer {
  RequireNode node;
  bool had_fault = false;
};

}  // namespace

struct RequireBuilder::State {
  std::vector<OpenContainer> open;  // [0]: the section itself, an implicit <RequireAny>
  AccessOrder access;
  bool has_access = false;
  MethodLimit limit;

  Result adopt(RequireNode node) {
    OpenContainer& around = open.back();
    const bool may_be_negative = around.node.kind() == Kind::all;
    if (node.is_negative() && !may_be_negative) {
      around.had_fault = true;
      const std::string what =
          node.is_container() ? std::string(container_name(node.kind())) : "negative Require";
      return refused(what + " directive has no effect in " +
                         std::string(container_name(around.node.kind())) + " directive",
                     "put it into <RequireAll> together with a Require that grants");
    }
    around.node.add(std::move(node));
    return {};
  }

  Result note_access(Result result) {
    has_access = true;
    return result;
  }
};

RequireBuilder::RequireBuilder() : state_(std::make_unique<State>()) {
  state_->open.push_back({RequireNode(Kind::any)});
}
RequireBuilder::~RequireBuilder() = default;
RequireBuilder::RequireBuilder(RequireBuilder&&) noexcept = default;
RequireBuilder& RequireBuilder::operator=(RequireBuilder&&) noexcept = default;

RequireBuilder::Result RequireBuilder::require(std::span<const std::string> words) {
  auto node = RequireNode::parse(words, state_->limit);
  if (!node) {
    state_->open.back().had_fault = true;
    return std::unexpected(std::move(node.error()));
  }
  return state_->adopt(std::move(*node));
}

void RequireBuilder::open(RequireContainer container) {
  state_->open.push_back({RequireNode(kind_of(container))});
}

RequireBuilder::Result RequireBuilder::close() {
  CHECK(state_->open.size() > 1);
  OpenContainer closed = std::move(state_->open.back());
  state_->open.pop_back();
  if (closed.had_fault) {
    state_->open.back().had_fault = true;
    return {};
  }
  const RequireNode& node = closed.node;
  if (node.children().empty()) {
    state_->open.back().had_fault = true;
    return refused(std::string(container_name(node.kind())) +
                       " directive contains no authorization directives",
                   "add a Require line, or take the container out");
  }
  if (node.kind() == Kind::all && std::ranges::all_of(node.children(), &RequireNode::is_negative)) {
    state_->open.back().had_fault = true;
    return refused("<RequireAll> directive contains only negative authorization directives",
                   "add a Require that grants, e.g. Require all granted");
  }
  return state_->adopt(std::move(closed.node));
}

RequireBuilder::Result RequireBuilder::order(std::span<const std::string> words) {
  return state_->note_access(state_->access.set_order(words, state_->limit));
}

RequireBuilder::Result RequireBuilder::allow(std::span<const std::string> words) {
  return state_->note_access(state_->access.allow(words, state_->limit));
}

RequireBuilder::Result RequireBuilder::deny(std::span<const std::string> words) {
  return state_->note_access(state_->access.deny(words, state_->limit));
}

RequireBuilder::Result RequireBuilder::satisfy(std::span<const std::string> words) {
  return state_->note_access(state_->access.set_satisfy(words, state_->limit));
}

void RequireBuilder::limit(std::span<const std::string> methods, bool except) {
  state_->limit = MethodLimit(methods, except);
}

void RequireBuilder::unlimit() { state_->limit = MethodLimit(); }

bool RequireBuilder::empty() const {
  return state_->open.front().node.children().empty() && !state_->has_access;
}

std::expected<std::shared_ptr<const Require>, Complaint> RequireBuilder::finish() {
  CHECK(state_->open.size() == 1);
  if (empty()) return nullptr;
  auto require = std::make_shared<Require>();
  RequireNode& root = state_->open.front().node;
  if (!root.children().empty()) {
    require->tree_ = std::make_shared<const RequireNode>(std::move(root));
  }
  if (state_->has_access) {
    require->access_ = std::make_shared<const AccessOrder>(std::move(state_->access));
  }
  *state_ = State();
  state_->open.push_back({RequireNode(Kind::any)});
  return require;
}

}  // namespace steelyard::expr
