#include "manage/drain_watch.hpp"

#include <utility>

namespace steelyard::manage {

void DrainWatch::adopt(std::vector<NamedBalancer> balancers) {
  balancers_ = std::move(balancers);
  look();
}

void DrainWatch::look() {
  bool any_under_way = false;
  for (const NamedBalancer& balancer : balancers_) {
    const balance::Drains::News news = balance::Drains(*balancer.state).watch(loop_.now());
    any_under_way = any_under_way || news.any_under_way;
    for (const balance::Drains::Ended& ended : news.ended) on_end_(balancer, ended);
  }
  if (any_under_way) arm(loop_.timers(), loop_.now() + interval);
}

}  // namespace steelyard::manage
