// An operator's orders to take members of one balancer out of service, and the watch over them
// (drain.hpp says what they mean). A way to speak to the balancer, without state of its own.
//
// Orders belong to members: a reload that keeps the member keeps its order, a member that goes
// takes it along. Somebody has to call watch() from time to time as long as it says so, or no order
// ends: nothing here reads a clock, and traffic alone cannot end a drain.
//
// Threads: any; under the balancer's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "balance/balancer.hpp"
#include "balance/drain.hpp"

namespace steelyard::balance {

class Drains {
 public:
  explicit Drains(Balancer& balancer) : balancer_(balancer) {}

  // Begins one, in the place of an earlier one. False: the member is retired.
  bool order(const MemberRef& member, const DrainOrder& order, Instant now);
  // Back into service: clears N, and S if an order set it. False: the member is retired, or has
  // nothing of the kind.
  bool undrain(const MemberRef& member, Instant now);
  // N and S were brought back, and S is what an order of an earlier run led to: it goes with N.
  // sessions_leave: the order set it at once; sessions_stay: it came when the drain ended here.
  void remember_stop(const MemberRef& member, DrainOrder::Pace pace, Instant now);

  // The last order; also of a retired member.
  [[nodiscard]] std::optional<Drain> of(const MemberRef& member) const;
  [[nodiscard]] std::array<SessionCount, Census::windows.size()> sessions(const MemberRef& member,
                                                                          Instant now) const;

  [[nodiscard]] bool counts_sessions() const {
    return balancer_.counts_sessions_.load(std::memory_order_relaxed);
  }

  struct Ended {
    MemberRef member;
    Drain drain;
  };
  struct News {
    std::vector<Ended> ended;
    bool any_under_way = false;  // that can end: call again
  };
  // Ends what is over. Costs one word to read when nothing was ordered.
  [[nodiscard]] News watch(Instant now);

 private:
  friend class Balancer;
  friend class Edits;

  // The balancer's lock is held. An operator changed these bits by other means.
  static void operator_changed(Member& member, Status touched, Instant now);
  // Likewise. Another instance's operator: S that came with N, or after it, is a drain's.
  static void stopped_elsewhere(Member& member, Instant now);
  void watch_one(Position at, Instant now, News& news);
  void end(Position at, DrainVerdict verdict, Instant now);

  Balancer& balancer_;
};

}  // namespace steelyard::balance
