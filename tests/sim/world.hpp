// A balancer, its members as queues, and requests that arrive: all in virtual time from one seed.
//
//   arrival ─▶ Balancer::choose ─▶ member: waits for a free place ─▶ is served ─▶ lease ends
//                 ▲   refuses (down) │
//                 └── another one ───┘
//
// After every event the world holds the balancer to what it promises always: a member's busy count
// is the number of exchanges that it has here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "balance/balancer.hpp"

namespace steelyard::sim {

// The environment's seed, or the one that all runs share.
std::uint64_t seed_of_run();

struct MemberModel {
  double service_seconds = 0.01;  // mean
  int places = 1;                 // exchanges served at once; others wait in order
  bool exponential = true;        // service times; else all alike
  bool up = true;                 // else connections are refused
};

struct Pick {
  double at = 0;  // seconds
  std::size_t member = 0;
};

class World {
 public:
  // One model for each member of `spec`, in its order.
  World(std::shared_ptr<const balance::BalancerSpec> spec, std::vector<MemberModel> models);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Requests arrive by chance, `rate` a second on average, until `seconds` from now.
  void run(double rate, double seconds);
  // No more arrivals: everything under way ends.
  void finish();
  // Something happens at `seconds` from now.
  void after(double seconds, std::function<void()> action);

  MemberModel& model(std::size_t member) { return models_[member]; }
  balance::Balancer& balancer() { return *balancer_; }
  balance::MemberRef member(std::size_t which) { return balancer_->members()[which].member; }
  [[nodiscard]] int live(std::size_t member) const { return live_[member]; }
  [[nodiscard]] int live_in_all() const { return live_in_all_; }
  [[nodiscard]] double now() const { return now_; }

  // What happened since the last forget().
  [[nodiscard]] const std::vector<Pick>& picks() const { return picks_; }
  [[nodiscard]] const std::vector<double>& times() const { return times_; }  // arrival to end
  [[nodiscard]] int refused() const { return refused_; }  // requests that nobody took
  void forget();

  // A key for each request; none: no key.
  std::function<std::string(std::mt19937_64&)> key;
  // Called for each attempt that a member refused.
  std::function<void(std::size_t member)> on_refusal;
  // Called for each member that ejectslow= ejected.
  std::function<void(std::size_t member)> on_slow;
  // Called after each pick.
  std::function<void(std::size_t member)> on_pick;
  // Bytes of each answer.
  std::int64_t answer_bytes = 1000;
  // The part of requests that may be sent again.
  double replayable = 1;

 private:
  struct Exchange;
  struct Event {
    double at;
    std::uint64_t order;  // of equal times, the first made comes first
    std::function<void()> act;
  };
  struct Later {
    bool operator()(const Event& one, const Event& two) const {
      return one.at != two.at ? one.at > two.at : one.order > two.order;
    }
  };

  void arrive(double rate, double until);
  void begin_exchange();
  void enter(std::size_t member, std::shared_ptr<Exchange> exchange);
  void serve(std::size_t member, std::shared_ptr<Exchange> exchange);
  void end(std::size_t member, Exchange& exchange);
  void step();
  void check_member(std::size_t member);
  [[nodiscard]] Instant instant() const;

  std::shared_ptr<balance::Balancer> balancer_;
  std::vector<MemberModel> models_;
  std::vector<balance::MemberRef> refs_;
  std::map<const balance::Member*, std::size_t> indexes_;
  std::vector<std::queue<std::shared_ptr<Exchange>>> waiting_;
  std::vector<int> serving_;
  std::vector<int> live_;
  int live_in_all_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t orders_ = 0;
  double now_ = 0;
  std::mt19937_64 random_;
  std::vector<Pick> picks_;
  std::vector<double> times_;
  int refused_ = 0;
};

// `members` of equal factor, named m0, m1, ...; parameters as `key=value` words.
std::shared_ptr<balance::BalancerSpec> group_of(std::size_t members, std::string_view parameters);

// The value that `part` of all lie below.
double quantile(std::vector<double> values, double part);

}  // namespace steelyard::sim
