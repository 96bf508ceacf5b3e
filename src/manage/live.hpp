// Tells those who listen, once a second, how members do: server-sent events (HTML living standard,
// 9.2), each with the members of the listener's virtual host as the API shows them.
//
// Threads: the loop's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "manage/api_objects.hpp"
#include "manage/naming.hpp"
#include "proxy/feed.hpp"
#include "proxy/generation.hpp"

namespace steelyard::manage {

class Live final : private io::Timer {
 public:
  static constexpr Duration interval = std::chrono::seconds(1);
  // Sessions are counted that seldom: that takes the balancer's lock for as long as there are many.
  static constexpr Duration counting_interval = std::chrono::seconds(10);
  // Further ones are refused.
  static constexpr std::size_t listeners_max = 64;

  explicit Live(io::Loop& loop) : loop_(loop) {}

  // To a virtual host, by its index. None: too many listen already. The first
  // event is there at once.
  std::shared_ptr<proxy::Feed> listen(std::shared_ptr<const proxy::Generation> generation,
                                      std::uint32_t server);
  // There is another configuration, or none any more: whoever still wants to listen asks again.
  void end_all();
  [[nodiscard]] std::size_t listener_count() const { return listeners_.size(); }

 private:
  struct Listener {
    std::shared_ptr<const proxy::Generation> generation;
    std::uint32_t server;
    std::shared_ptr<proxy::Feed> feed;
  };
  void expired() override;
  void tell_all();
  std::string event_for(const proxy::Generation& generation, std::uint32_t server);
  const ApiJson& sessions(const NamedBalancer& balancer, const balance::MemberView& view,
                          const Moment& moment);

  io::Loop& loop_;
  std::vector<Listener> listeners_;
  std::map<const balance::Member*, ApiJson> sessions_;  // since counted_
  Instant counted_{};
};

}  // namespace steelyard::manage
