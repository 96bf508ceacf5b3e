// Keeps the last hour of every balancer and member (story.hpp), for the live page and `steelyard
// top`. It reads the counters that shards keep anyway, once a step, and whenever somebody looks.
//
// Memory: about 10 KiB for each balancer, and for each member from its first request on; those that
// are gone are forgotten. A thousand busy members are 10 MiB.
//
// Threads: the loop's. It takes each balancer's lock for as long as a list of its members needs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "io/loop.hpp"
#include "manage/naming.hpp"
#include "manage/story.hpp"
#include "proxy/shard_group.hpp"

namespace steelyard::manage {

class Chronicle final : private io::Timer {
 public:
  Chronicle(io::Loop& loop, proxy::ShardGroup& group) : loop_(loop), group_(group) {}
  Chronicle(const Chronicle&) = delete;
  Chronicle& operator=(const Chronicle&) = delete;

  // What stayed goes on. It looks by itself from now on.
  void adopt(const proxy::Generation& generation);
  // What happened since the last time; nothing if that was within look_apart.
  void look();

  // Empty ones where there is nothing to tell.
  [[nodiscard]] const Story& of(const balance::Member& member) const;
  [[nodiscard]] const Story& of(const balance::Balancer& balancer) const;
  // All balancers of the generation.
  [[nodiscard]] const std::vector<NamedBalancer>& balancers() const { return balancers_; }
  [[nodiscard]] proxy::ShardGroup& group() const { return group_; }

 private:
  static constexpr Duration look_apart = std::chrono::milliseconds(500);

  struct MemberNotes {
    balance::MemberRef member;  // so that nobody else has its address
    Counts last{};
    std::unique_ptr<Story> story{};  // none: no request so far
    std::uint32_t in_flight = 0;
    std::uint64_t seen = 0;  // the number of the look
  };
  struct BalancerNotes {
    std::shared_ptr<balance::Balancer> balancer;
    std::uint64_t refused = 0;  // at the last look
    Story story{};
    std::uint32_t in_flight = 0;
    std::uint64_t seen = 0;
  };

  void expired() override;
  void look_at(const NamedBalancer& balancer, Duration span);
  Amount look_at(const balance::MemberView& view, Duration span);
  void end_step();

  io::Loop& loop_;
  proxy::ShardGroup& group_;
  std::vector<NamedBalancer> balancers_;
  std::map<const balance::Member*, MemberNotes> members_;
  std::map<const balance::Balancer*, BalancerNotes> notes_;
  std::uint64_t looks_ = 0;
  std::size_t steps_ = 0;  // that are over
  Instant last_look_ = Instant::min(), step_ends_ = Instant::min();
};

}  // namespace steelyard::manage
