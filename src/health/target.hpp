#pragma once

#include <memory>
#include <optional>

#include "health/check.hpp"
#include "health/prober.hpp"

// One member that is checked: what a check of it is, when the next is due, and the one under way.
//
// Threads: the loop's.

namespace steelyard::health {

// What the generation says about the checks of one member; immutable, shared with the check that is
// under way when the next generation comes.
struct TargetRules {
  std::shared_ptr<const proxy::Generation> generation;  // keeps what the rest refers to
  const config::Server* server = nullptr;
  const expr::Condition* condition = nullptr;
  balance::MemberSpec member;
};

class Prober::Target {
 public:
  Target(const ProberParts& parts, std::size_t& under_way,
         std::shared_ptr<balance::Balancer> balancer, balance::MemberRef member);
  ~Target() { cancel(); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] std::pair<const balance::Balancer*, const balance::Member*> key() const {
    return {balancer_.get(), member_.get()};
  }
  void adopt(std::shared_ptr<const TargetRules> rules);
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

  io::Task<> run(std::shared_ptr<const TargetRules> rules);
  void finish(const TargetRules& rules, Judgement judged);
  void give_up();
  [[nodiscard]] Duration wait() const;
  void draw_jitter();
  void tell(const TargetRules& rules, config::LogLevel level, std::string_view text) const;
  void tell_of_verdict(const TargetRules& rules, const Judgement& judged) const;

  const ProberParts& parts_;
  std::size_t& under_way_;
  const std::shared_ptr<balance::Balancer> balancer_;
  const balance::MemberRef member_;
  std::shared_ptr<const TargetRules> rules_, rules_under_way_;
  Instant last_end_;
  Instant began_{};
  Duration jitter_{0};
  bool is_under_way_ = false;
  Deadline deadline_{*this};
  io::Task<> check_;
};

}  // namespace steelyard::health
