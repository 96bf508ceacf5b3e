// A balancer, its members as queues, and requests that arrive: all in virtual time from one seed.
//
//   arrival ─▶ Balancer::choose ─▶ member: waits for a free place ─▶ is served ─▶ lease ends
//                 ▲   │  refuses (down) │
//                 ├───┼── another one ──┘
//                 └── the line (queue=): called, or its time is over
//
// After every event the world holds the balancer to what it promises always: a member's busy count
// is the number of exchanges that it has here, who goes on from the line is the first of it, and
// nobody waits there while a member has room. At the end nobody is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balance/balancer.hpp"
#include "heartbeat/servers.hpp"
#include "model.hpp"

namespace steelyard::sim {

class World {
 public:
  // One model for each member of `spec`, in its order.
  World(std::shared_ptr<const balance::BalancerSpec> spec, std::vector<MemberModel> models,
        std::uint64_t seed = seed_of_run());
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Requests arrive by chance, `rate` a second on average, until `seconds` from now.
  void run(double rate, double seconds);
  // No more arrivals: everything under way ends.
  void finish();
  // Something happens at `seconds` from now.
  void after(double seconds, std::function<void()> action);
  // Servers tell of their places (HeartbeatListen) each `every` seconds, `seconds` long.
  void send_heartbeats(double every, double seconds);

  // Says what is wrong first: the rest follows from it, as a rule.
  void must(bool holds, std::string_view else_complaint);

  [[nodiscard]] std::size_t size() const { return models_.size(); }
  [[nodiscard]] const balance::MemberSpec& spec(std::size_t member) const { return specs_[member]; }
  MemberModel& model(std::size_t member) { return models_[member]; }
  balance::Balancer& balancer() { return *balancer_; }
  balance::MemberRef member(std::size_t which) { return refs_[which]; }
  [[nodiscard]] int live(std::size_t member) const { return live_[member]; }
  [[nodiscard]] int live_in_all() const { return live_in_all_; }
  [[nodiscard]] double now() const { return now_; }
  [[nodiscard]] Instant instant() const;

  // What happened since the last forget().
  [[nodiscard]] const std::vector<Pick>& picks() const { return picks_; }
  [[nodiscard]] const std::vector<double>& times() const { return times_; }  // arrival to end
  [[nodiscard]] int refused() const { return refused_.in_all(); }
  [[nodiscard]] const Refused& refusals() const { return refused_; }
  void forget();

  // A key for each request; none: no key.
  std::function<std::string(std::mt19937_64&)> key;
  // Who asks. A client keeps the tag that it gets, as from the usual cookie; none: no sessions.
  std::function<std::size_t(std::mt19937_64&)> client;
  // Called for each attempt that a member refused.
  std::function<void(std::size_t member)> on_refusal;
  // Called for each member that ejectslow= ejected.
  std::function<void(std::size_t member)> on_slow;
  // Called after each choice that found a member.
  std::function<void(const Choice&)> on_choice;
  // Called after each pick.
  std::function<void(std::size_t member)> on_pick;
  // Called when one that stood in the line goes to a member or gives up, with the time it waited.
  std::function<void(double seconds)> on_waited;
  // Bytes of each answer.
  std::int64_t answer_bytes = 1000;
  // The part of requests that may be sent again.
  double replayable = 1;

 private:
  struct Exchange;
  using Shared = std::shared_ptr<Exchange>;
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
  balance::Decision choose(Exchange& exchange, balance::Attempt attempt);
  void tell(const Exchange& exchange, const balance::Decision& decision, Choice choice);
  void seek(const Shared& exchange);
  bool settles(const Shared& exchange, balance::Decision decision);
  bool fails(Exchange& exchange);
  void refuse(Exchange& exchange, int Refused::* how);
  void enter(std::size_t member, Shared exchange);
  void serve(std::size_t member, Shared exchange);
  void end(std::size_t member, Exchange& exchange);
  void step();
  void check_member(std::size_t member);

  // world_line.cpp: what the proxy's LineWait does.
  void stand(const Shared& exchange);
  void look_around(const Shared& exchange);
  bool asks(const Shared& exchange, balance::Attempt attempt, Instant& next_retry);
  void sleep(const Shared& exchange, Instant until);
  void leave_line(Exchange& exchange);
  void check_line();

  std::shared_ptr<balance::Balancer> balancer_;
  std::vector<MemberModel> models_;
  std::vector<balance::MemberRef> refs_;
  std::vector<balance::MemberSpec> specs_;
  std::map<const balance::Member*, std::size_t> indexes_;
  std::vector<std::queue<Shared>> waiting_;
  std::vector<int> serving_;
  std::vector<int> live_;
  int live_in_all_ = 0;
  int refusing_ = 0;  // attempts under way that will fail
  std::shared_ptr<const heartbeat::Servers> heard_;
  std::unordered_map<std::size_t, std::size_t> sessions_;  // by client: the member of its tag
  std::vector<Event> events_;                              // a heap
  std::map<std::uint64_t, Shared> in_line_;                // by ticket
  std::uint64_t tickets_ = 0;
  std::uint64_t orders_ = 0;
  double now_ = 0;
  std::uint64_t seed_;
  bool had_failed_;  // the test, before this world was
  bool is_broken_ = false;
  std::mt19937_64 random_;
  std::uint64_t requests_ = 0, answered_ = 0, refused_ever_ = 0;
  std::vector<Pick> picks_;
  std::vector<double> times_;
  Refused refused_;
};

}  // namespace steelyard::sim
