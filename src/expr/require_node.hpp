#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "expr/complaint.hpp"
#include "expr/condition.hpp"
#include "expr/method_limit.hpp"
#include "expr/string_expression.hpp"
#include "expr/visitor.hpp"

// One line or container of a Require tree (mod_authz_core).
//
// Threads: immutable once built.

namespace steelyard::expr {

// `needs_user`: denied, but a request whose user is known might fare better.
enum class Verdict : std::uint8_t { granted, denied, neutral, failed, needs_user };

class RequireNode {
 public:
  enum class Kind : std::uint8_t {
    all,   // <RequireAll>: denied if any is; granted if none is and one is granted
    any,   // <RequireAny>: granted if any is; denied if none is and one is denied
    none,  // <RequireNone>: denied if any is granted; never grants
    everybody,
    nobody,
    ip,
    host,
    local,
    env,
    method,
    tls,           // Require ssl
    tls_verified,  // Require ssl-verify-client
    valid_user,
    user,
    group,
    condition,
  };

  explicit RequireNode(Kind kind) : kind_(kind) {}
  // `words` behind Require: [not] provider arguments; a condition is one word. The limit is that of
  // <Limit> around the line.
  static std::expected<RequireNode, Complaint> parse(std::span<const std::string> words,
                                                     const MethodLimit& limit);

  // A line that <Limit> exempts from the request's method counts as what changes nothing in the
  // container around it: granted in RequireAll, denied elsewhere (httpd).
  Verdict judge(Evaluation& evaluation, Kind around) const;
  // Of a request that meets no condition but that of its method.
  Verdict judge_stranger(std::string_view method, Kind around) const;

  Kind kind() const { return kind_; }
  bool is_container() const { return kind_ <= Kind::none; }
  // Can only refuse: `Require not` and <RequireNone>.
  bool is_negative() const { return is_negated_ || kind_ == Kind::none; }
  bool needs_client_host() const;
  bool needs_groups() const;
  void add(RequireNode child) { children_.push_back(std::move(child)); }
  const std::vector<RequireNode>& children() const { return children_; }
  // Its lines, `indent` before each.
  void describe(const std::string& indent, std::vector<std::string>& lines) const;

 private:
  using Outcome = std::expected<void, Complaint>;

  Outcome read_provider(std::string_view provider, std::span<const std::string> words);
  Outcome read_networks(std::span<const std::string> words);
  Outcome read_condition(std::span<const std::string> words);
  bool applies_to(std::string_view method) const;
  template <class Judge>
  Verdict judge_children(Judge judge_child) const;
  Verdict judge_condition(Evaluation& evaluation) const;
  Verdict verdict_of(bool is_granted) const;
  Verdict verdict_of(Verdict found) const;  // turned round by `not`
  bool provides(const Facts& facts) const;
  Verdict judge_user(Evaluation& evaluation) const;
  bool is_one_of_names(Evaluation& evaluation, const Visitor& visitor) const;
  Outcome read_names(std::span<const std::string> words);
  bool names_method(std::string_view method) const;

  Kind kind_;
  bool is_negated_ = false;
  MethodLimit limit_;
  std::vector<RequireNode> children_;
  std::vector<IpNetwork> networks_;
  std::optional<Condition> condition_;
  bool condition_asks_user_ = false;
  std::vector<StringExpression> names_;  // of users or groups
  std::vector<std::string> words_;       // host names, variables, methods
};

std::string_view container_name(RequireNode::Kind kind);  // "<RequireAll>"

}  // namespace steelyard::expr
