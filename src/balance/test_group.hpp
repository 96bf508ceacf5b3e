// For tests: a balancer written as one line, and its picks as a string.
//
//   Group group("a b=r2,D c*2@1");     members a, b (tag r2, disabled) and c (factor 2, lbset 1)
//   group.picks(4) == "cabc"
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/balancer.hpp"
#include "balance/hashing.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A name and any of *factor @lbset =tag >redirect ,status.
inline MemberSpec member_of(std::string_view word) {
  constexpr std::string_view marks = "*@=>,";
  constexpr std::string_view keys[] = {"loadfactor", "lbset", "route", "redirect", "status"};
  MemberSpec spec;
  std::size_t end = std::min(word.find_first_of(marks), word.size());
  spec.name = word.substr(0, end);
  while (end < word.size()) {
    const std::string_view key = keys[marks.find(word[end])];
    const std::size_t begin = end + 1;
    end = std::min(word.find_first_of(marks, begin), word.size());
    EXPECT_TRUE(set_member_parameter(spec, key, word.substr(begin, end - begin))) << word;
  }
  return spec;
}

// Members as above, parameters as `key=value` words.
inline std::shared_ptr<BalancerSpec> group_spec(std::string_view members,
                                                std::string_view parameters = "") {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://c";
  for (const std::string_view word : split_words(members)) {
    spec->members.push_back(member_of(word));
  }
  for (const std::string_view word : split_words(parameters)) {
    const std::size_t equals = word.find('=');
    EXPECT_TRUE(set_balancer_parameter(*spec, word.substr(0, equals), word.substr(equals + 1)))
        << word;
  }
  return spec;
}

class Group {
 public:
  explicit Group(std::string_view members, std::string_view parameters = "")
      : Group(group_spec(members, parameters)) {}
  explicit Group(std::shared_ptr<const BalancerSpec> spec) : balancer(std::move(spec)) {}

  Decision choose() { return choose_for({}); }
  Decision choose_for(std::string_view key) {
    return balancer.choose({.session = {}, .now = now, .random = random.next(), .key = key});
  }

  Decision choose(std::string_view tag, std::span<const MemberRef> tried = {}) {
    Session session;
    session.found = !tag.empty();
    session.tag = tag;
    const std::uint64_t drawn = random.next();
    return balancer.choose({.session = session, .now = now, .random = drawn, .tried = tried});
  }

  static std::string name_of(const Decision& decision) {
    return decision.lease ? decision.lease.member().name() : "-";
  }

  // Each exchange ends before the next begins.
  std::string picks(int count) {
    std::string names;
    for (int i = 0; i < count; ++i) names += name_of(choose());
    return names;
  }

  std::string picks(int count, std::string_view tag) {
    std::string names;
    for (int i = 0; i < count; ++i) names += name_of(choose(tag));
    return names;
  }

  MemberView view(std::string_view name) {
    for (MemberView& view : balancer.members()) {
      if (view.member->name() == name) return view;
    }
    ADD_FAILURE() << "no member " << name;
    return {};
  }

  std::vector<std::int64_t> credits() {
    std::vector<std::int64_t> all;
    for (const MemberView& view : balancer.members()) all.push_back(view.credit);
    return all;
  }

  std::string status(std::string_view name) { return display_text(view(name).status); }

  void change(std::string_view name, Status set, Status clear = {}) {
    EXPECT_TRUE(balancer.change_status(view(name).member, set, clear));
  }

  // One whole request: tries members until one of them is not in `dead`. Returns the names tried,
  // with
  // "!" behind when the last one failed.
  std::string request(std::string_view dead, std::string_view tag = "") {
    std::vector<Lease> leases;
    std::vector<MemberRef> in_vain;
    std::string tried;
    for (int attempts = 1;; ++attempts) {
      Decision decision = choose(tag, in_vain);
      tried += name_of(decision);
      if (!decision.lease) return tried;
      leases.push_back(std::move(decision.lease));
      const Lease& lease = leases.back();
      if (!dead.contains(lease.member().name())) {
        balancer.connected(lease);
        return tried;
      }
      balancer.connect_failed(lease, now);
      in_vain.emplace_back(&lease.member());
      if (!balancer.may_try_another(lease, attempts)) return tried + '!';
    }
  }

  // The member answers with `status`; true if that put it in error.
  std::string answer(int status, bool timed_out = false) {
    const Decision decision = choose();
    balancer.connected(decision.lease);
    balancer.answer_status(decision.lease, now, status, timed_out);
    return name_of(decision);
  }

  Instant now = Instant{} + std::chrono::hours(1);
  Random random{20'261'128};
  Balancer balancer;
};

}  // namespace steelyard::balance
