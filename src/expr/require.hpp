#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "expr/evaluation.hpp"

// Who may pass: Require with its containers (mod_authz_core, mod_authz_host) and the older Order,
// Allow, Deny and Satisfy (mod_access_compat). One object holds what one section says.
//
//   access part:   Order + Allow + Deny            granted or denied
//   require part:  a tree of Require lines         granted, denied or neutral (neutral refuses)
//   Satisfy All:   both must pass; Any: either does
//
// Threads: immutable once built.

namespace steelyard::expr {

enum class Admission : std::uint8_t {
  allowed,
  denied_by_require,
  denied_by_order,
  needs_user,  // who it is may change the verdict, and nobody has said so
  unruled,     // allowed as no line of Require says anything
  failed       // an expression could not be evaluated, Evaluation::fault says why (httpd: 500)
};
enum class RequireContainer : std::uint8_t { all, any, none };
enum class RequireMerge : std::uint8_t { replace, both, either };  // AuthMerging Off, And, Or

class RequireNode;
class AccessOrder;

class Require {
 public:
  Admission decide(Evaluation& evaluation) const;
  // Whether a request of the method gets in of which nothing speaks: no address, name, variable or
  // expression that a line asks for. Such a section is open to everybody but those it turns away.
  bool admits_strangers(std::string_view method) const;
  // TextFact::client_host must be looked up, forwards and back, before decide() is asked.
  bool needs_client_host() const;
  // Visitor::groups must be known, if there is a user.
  bool needs_groups() const;

  // Its lines as they were understood, what is in containers indented.
  std::vector<std::string> describe() const;

  // What holds in `inner` with `outer` around it; either may be null. Order, Allow, Deny and
  // Satisfy of the inner section replace those of the outer one together, whatever `how` says.
  static std::shared_ptr<const Require> merge(const std::shared_ptr<const Require>& outer,
                                              const std::shared_ptr<const Require>& inner,
                                              RequireMerge how);
  // What is left of it without its Require lines; may be null, as `whole`.
  static std::shared_ptr<const Require> without_tree(const std::shared_ptr<const Require>& whole);

 private:
  friend class RequireBuilder;

  std::shared_ptr<const RequireNode> tree_;    // null: no Require line
  std::shared_ptr<const AccessOrder> access_;  // null: no Order, Allow, Deny, Satisfy
};

// Collects the lines of one section in their order.
class RequireBuilder {
 public:
  using Result = std::expected<void, Complaint>;

  RequireBuilder();
  ~RequireBuilder();
  RequireBuilder(RequireBuilder&&) noexcept;
  RequireBuilder& operator=(RequireBuilder&&) noexcept;

  // `expr` takes its condition as one word.
  Result require(std::span<const std::string> words);
  void open(RequireContainer container);  // <RequireAll> ...
  Result close();                         // ... </RequireAll>

  Result order(std::span<const std::string> words);
  Result allow(std::span<const std::string> words);  // from all | env=[!]V | ip | host ...
  Result deny(std::span<const std::string> words);
  Result satisfy(std::span<const std::string> words);

  // Lines until unlimit() hold for these methods only, or for all but these (<LimitExcept>).
  void limit(std::span<const std::string> methods, bool except);
  void unlimit();

  bool empty() const;
  // Null when nothing was said. All containers are closed.
  std::expected<std::shared_ptr<const Require>, Complaint> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace steelyard::expr
