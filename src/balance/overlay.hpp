// What operators changed while the program ran, laid over what the configuration says.
//
//   configuration ──▶ names expanded ──▶ laid_over() ──▶ what the balancer acts on
//
// A change remembers what the configuration said when it was made. While a new configuration says
// the same there, the change stays; when it says something else, the configuration counts and the
// change is superseded. Changes to members that a name may lead to again stay, too.
//
// Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "balance/spec.hpp"

namespace steelyard::balance {

struct Edit {
  std::string field;       // one of editable.hpp
  std::string configured;  // the text of the configuration when the change was made
  std::string value;

  friend bool operator==(const Edit&, const Edit&) = default;
};

enum class Membership : std::uint8_t { configured, added, removed };

struct MemberEdits {
  std::string member;  // its name
  Membership membership = Membership::configured;
  std::vector<Edit> edits;  // one a field

  friend bool operator==(const MemberEdits&, const MemberEdits&) = default;
};

struct Overlay {
  std::vector<Edit> balancer;        // one a field
  std::vector<MemberEdits> members;  // one a member, in the order of their first change

  [[nodiscard]] bool empty() const { return balancer.empty() && members.empty(); }
  [[nodiscard]] const MemberEdits* find(std::string_view member) const;

  // The field has this value now, of a member or, with an empty name, of the balancer. What the
  // configuration says anyway is no change. What it said at an earlier change still counts.
  void put(std::string_view member, std::string_view field, std::string configured,
           std::string value);
  void add(std::string_view member);
  // An added member is forgotten, a configured one marked.
  void remove(std::string_view member);
  // A removed member that is configured comes back as the configuration has it.
  void bring_back(std::string_view member);

  friend bool operator==(const Overlay&, const Overlay&) = default;

 private:
  MemberEdits& of(std::string_view member);
  void drop_if_void(std::string_view member);
};

// What an added member is before it was changed; none: the URL is none.
[[nodiscard]] std::expected<MemberSpec, std::string> added_member(std::string_view url);

// How many members operators may add: by the balancer-manager growth=, or none (httpd); by our own
// ways growth=, or so many.
inline constexpr int added_members_max = 100;
[[nodiscard]] int growth_of(const BalancerSpec& spec);
[[nodiscard]] int added_max_of(const BalancerSpec& spec);

// `expanded` itself when nothing was changed.
std::shared_ptr<const BalancerSpec> laid_over(const std::shared_ptr<const BalancerSpec>& expanded,
                                              const Overlay& overlay);

// A change that a new configuration made void.
struct Superseded {
  std::string member;  // empty: the balancer's own
  Edit edit;
  std::string now;  // what the configuration says; "gone": it no longer has the member

  friend bool operator==(const Superseded&, const Superseded&) = default;
};

// Drops what `next` supersedes. `names_vary`: members that `next` lacks may come back.
std::vector<Superseded> rebase(Overlay& overlay, const BalancerSpec& next, bool names_vary);

}  // namespace steelyard::balance
