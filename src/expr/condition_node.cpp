#include "expr/condition_node.hpp"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <utility>

#include "base/arena.hpp"
#include "base/text.hpp"

namespace steelyard::expr {
namespace {

template <class T>
bool stands(const T& left, Order order, const T& right) {
  switch (order) {
    case Order::equal:
      return left == right;
    case Order::not_equal:
      return left != right;
    case Order::less:
      return left < right;
    case Order::less_or_equal:
      return left <= right;
    case Order::greater:
      return left > right;
    case Order::greater_or_equal:
      return left >= right;
  }
  return false;
}

bool is_switched_on(std::string_view text) {
  if (text.empty() || text == "0") return false;
  return std::ranges::none_of(
      std::to_array<std::string_view>({"off", "no", "false"}),
      [text](std::string_view word) { return equals_ignoring_case(text, word); });
}

}  // namespace

bool ConditionNode::holds(Evaluation& evaluation) const {
  const auto child_holds = [&evaluation](const ConditionNode& child) {
    return child.holds(evaluation);
  };
  switch (kind) {
    case Kind::always:
      return true;
    case Kind::never:
      return false;
    case Kind::negation:
      return !children.front().holds(evaluation);
    case Kind::all:
      return std::ranges::all_of(children, child_holds);
    case Kind::any:
      return std::ranges::any_of(children, child_holds);
    case Kind::pattern:
      return matches(evaluation);
    case Kind::list:
      return is_listed(evaluation);
    case Kind::peer_extension:
      return is_peer_extension(evaluation);
    case Kind::network:
      return is_in_network(evaluation);
    case Kind::client_network:
      return network->contains(evaluation.facts.client_address());
    case Kind::file:
      return file_holds(evaluation);
    default:
      break;
  }
  const std::string_view value = left.evaluate(evaluation);
  if (kind == Kind::not_empty) return !value.empty();
  if (kind == Kind::empty) return value.empty();
  if (kind == Kind::switched_on) return is_switched_on(value);
  const std::string_view other = right.evaluate(evaluation);
  switch (kind) {
    case Kind::text:
      return stands(value, order, other);
    case Kind::integer:
      return stands(parse_lax(value), order, parse_lax(other));
    case Kind::measured:
      return stands(std::pair(value.size(), value), order, std::pair(other.size(), other));
    default:
      return matches_glob(other, value, kind == Kind::path_glob, kind == Kind::any_case_glob);
  }
}

bool ConditionNode::matches(Evaluation& evaluation) const {
  const std::string_view value = left.evaluate(evaluation);
  if (regex->group_count() == 0) return regex->search(value);
  RegexMatch match;
  const bool found = regex->search(value, match);
  evaluation.groups = found ? match : RegexMatch();
  evaluation.subject = found ? value : std::string_view();
  return found;
}

// httpd asks from the end, which Vary shows.
bool ConditionNode::is_listed(Evaluation& evaluation) const {
  const std::string_view value = left.evaluate(evaluation);
  return std::ranges::any_of(words | std::views::reverse, [&evaluation, value](const Word& word) {
    return word.evaluate(evaluation) == value;
  });
}

// Whether an extension of the client's certificate says this (httpd: PeerExtList of mod_ssl). They
// are variables with a number and their kind's name; a certificate has few.
bool ConditionNode::is_peer_extension(Evaluation& evaluation) const {
  constexpr std::uint64_t asked_max = 100;
  const std::string_view value = left.evaluate(evaluation);
  const std::string_view number = right.evaluate(evaluation);
  Arena& arena = evaluation.arena;
  for (std::uint64_t i = 0; i < asked_max; ++i) {
    const auto text =
        evaluation.facts.tls_variable(arena.join("SSL_CLIENT_EXT_", arena.decimal(i), ":", number));
    if (!text) return false;
    if (*text == value) return true;
  }
  return false;
}

bool ConditionNode::is_in_network(Evaluation& evaluation) const {
  const auto address = IpAddress::parse(left.evaluate(evaluation));
  return address && network->contains(*address);
}

bool ConditionNode::file_holds(Evaluation& evaluation) const {
  const std::string_view path = left.evaluate(evaluation);
  const LocalFiles* const files = evaluation.facts.local_files();
  return files != nullptr && !path.empty() && files->has_trait(path, trait);
}

}  // namespace steelyard::expr
