#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "health/check.hpp"
#include "io/dialer.hpp"
#include "io/loop.hpp"
#include "proxy/generation.hpp"
#include "proxy/log_sink.hpp"

// Checks the members of balancers that have an hcmethod, on one loop, and tells their balancers.
//
//   every 100 ms: who is due?   now > end of the last check (at first: when it was learned of)
//                               + hcinterval, not stopped, no check of it under way
//
// Members with hcshare=On that ask the same (question.hpp), of whatever balancers, share a check:
// it is made once for them all, and each hears what it found.
//
// Invariants: 1. a member of one balancer state has at most one check under way, however many
//                virtual hosts use that state; so have all who share one.
//             2. a reload keeps the times and the checks under way of members that stay; those of
//                the others end at once (succession.hpp).
// Threads: the loop's.

namespace steelyard::health {

struct ProberParts {
  io::Loop& loop;
  io::Dialer& dialer;
  proxy::LogSink& log;
  std::function<std::uint64_t()> random;  // for hcjitter; any quality
};

// Whether anybody is checked, as the configuration has it or as operators changed it since.
bool has_checks(const proxy::Generation& generation);

class Prober {
 public:
  explicit Prober(const ProberParts& parts);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  void adopt(const std::shared_ptr<const proxy::Generation>& generation);
  // Ends all checks, without verdicts.
  void stop();

  std::size_t target_count() const { return targets_.size(); }
  std::size_t checks_under_way() const { return under_way_; }

 private:
  class Target;
  class Succession;
  class Look final : public io::Timer {
   public:
    explicit Look(Prober& prober) : prober_(prober) {}

   private:
    void expired() override { prober_.look(); }
    Prober& prober_;
  };

  void look();

  ProberParts parts_;
  Look look_{*this};
  std::vector<std::unique_ptr<Target>> targets_;
  std::size_t under_way_ = 0;
  std::size_t first_ = 0;  // where the next look begins
};

}  // namespace steelyard::health
