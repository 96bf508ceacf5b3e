// Tells live pages, once a second, what is different (server-sent events; HTML living standard,
// 9.2):
//
//   all    the whole of it, first          some    what changed since
//
// Pages of one virtual host are told the same.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "manage/live_rows.hpp"
#include "proxy/desk.hpp"
#include "proxy/feed.hpp"

namespace steelyard::manage {

class LiveFeed final : private io::Timer {
 public:
  static constexpr Duration interval = std::chrono::seconds(1);
  // Further ones are refused.
  static constexpr std::size_t listeners_max = 64;

  struct Parts {
    io::Loop& loop;
    Chronicle& chronicle;
    std::function<std::int64_t()> last_change;  // the journal's; pages then look at the history
    std::function<std::vector<std::string>()> troubles;  // ChangesBook's
  };
  explicit LiveFeed(Parts parts) : parts_(std::move(parts)) {}

  struct Joined {
    std::string first;  // what is said before the feed says anything
    std::shared_ptr<proxy::Feed> feed;
  };
  // `nonces`: by label of the balancer; empty where it may not be changed. None: too many listen.
  std::optional<Joined> listen(const proxy::DeskQuestion& question,
                               const std::map<std::string, std::string>& nonces);
  // Somebody changed something: pages hear of it at once.
  void tell_now();
  // There is another configuration, or none any more: pages ask again by themselves.
  void end_all();
  [[nodiscard]] std::size_t listener_count() const;

 private:
  struct Channel {
    std::shared_ptr<const proxy::Generation> generation;
    LiveBook book{};
    std::vector<std::shared_ptr<proxy::Feed>> listeners{};
  };

  void expired() override;
  ApiJson turn(std::uint32_t server, Channel& channel);
  void forget_the_gone();

  Parts parts_;
  std::map<std::uint32_t, Channel> channels_;  // by virtual host
};

}  // namespace steelyard::manage
