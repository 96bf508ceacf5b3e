#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "health/check.hpp"
#include "health/prober.hpp"
#include "health/question.hpp"
#include "health/target_rules.hpp"

// One check that is made again and again: what it is, when it is due, the one under way, and the
// members that are told. That is one member, or all that share the check (hcshare=On).
//
//   Target ──asks by the rules of its first asker──▶ Check ──verdict──▶ each asker's balancer
//
// Invariants: 1. there is an asker, once it has adopted any.
//             2. all askers share the check and ask the same question, or there is only one.
// Threads: the loop's.

namespace steelyard::health {

// A member of a balancer, and how the generation has it checked.
struct Asker {
  std::shared_ptr<balance::Balancer> balancer;
  balance::MemberRef member;
  std::shared_ptr<const TargetRules> rules;
  balance::CheckCounts counts{};  // when it was looked at

  using Key = std::pair<const balance::Balancer*, const balance::Member*>;
  [[nodiscard]] Key key() const { return {balancer.get(), member.get()}; }
};

class Prober::Target {
 public:
  // The first check is due one interval after `begins`.
  Target(const ProberParts& parts, std::size_t& under_way, Instant begins);
  ~Target() { cancel(); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // In the place of those before. Who comes to share a check hears what it found last.
  void adopt(std::vector<Asker> askers);
  [[nodiscard]] std::span<const Asker> askers() const { return askers_; }
  [[nodiscard]] bool is_shared() const { return rules().member.check.is_shared; }
  [[nodiscard]] Question question() const { return question_of(plan_for(rules())); }
  [[nodiscard]] Instant last_end() const { return last_end_; }
  [[nodiscard]] bool is_due() const;
  void begin();
  void cancel();
  // Lets go of what the last check held, an earlier generation among it.
  void tidy();

 private:
  // The last word on a check that takes too long as a whole, wherever it is.
  class Deadline final : public io::Timer {
   public:
    explicit Deadline(Target& target) : target_(target) {}

   private:
    void expired() override { target_.give_up(); }
    Target& target_;
  };

  [[nodiscard]] const TargetRules& rules() const { return *askers_.front().rules; }
  void share(const std::set<Asker::Key>& before);
  io::Task<> run(std::shared_ptr<const TargetRules> rules);
  void finish(const TargetRules& rules, Judgement judged);
  void tell_asker(const Asker& asker, const balance::CheckReport& report) const;
  void foretell() const;
  void give_up();
  [[nodiscard]] Duration wait() const;
  void draw_jitter();
  void tell(const TargetRules& rules, config::LogLevel level, std::string_view text) const;
  void tell_of_verdict(const TargetRules& rules, const Judgement& judged) const;

  const ProberParts& parts_;
  std::size_t& under_way_;
  std::vector<Asker> askers_;
  std::optional<balance::SharedFinding> finding_;  // of a check that is shared
  std::optional<balance::CheckReport> last_;       // while nothing else is asked
  std::shared_ptr<const TargetRules> rules_under_way_;
  Instant last_end_;
  Instant began_{};
  Duration jitter_{0};
  bool is_under_way_ = false;
  Deadline deadline_{*this};
  io::Task<> check_;
};

}  // namespace steelyard::health
