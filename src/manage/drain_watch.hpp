// Looks at the clock for the drains that an operator ordered: without traffic nothing else would
// ever end them. It looks while any order is under way, and sleeps else.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "balance/drains.hpp"
#include "io/loop.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

class DrainWatch final : private io::Timer {
 public:
  // How late an end may be noticed. A look costs a word for each balancer without orders.
  static constexpr Duration interval = std::chrono::milliseconds(100);

  using OnEnd = std::function<void(const NamedBalancer&, const balance::Drains::Ended&)>;
  DrainWatch(io::Loop& loop, OnEnd on_end) : loop_(loop), on_end_(std::move(on_end)) {}

  // Orders outlive generations: those of balancers that stayed go on.
  void adopt(std::vector<NamedBalancer> balancers);
  // An order was given.
  void look();

 private:
  void expired() override { look(); }

  io::Loop& loop_;
  const OnEnd on_end_;
  std::vector<NamedBalancer> balancers_;
};

}  // namespace steelyard::manage
