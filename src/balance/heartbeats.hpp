// lbmethod=heartbeat: members by the idle workers that their servers told of.
//
// Who takes part is httpd's to the letter: neither sets, roles, draining nor factors count; a
// member belongs to the server whose address is, as text, its host (or, with resolve=each, which
// httpd does not have, its address); of several usable members of
// one server only the last is ever chosen, but each of them makes the server count once more.
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/roster.hpp"
#include "base/time.hpp"
#include "heartbeat/servers.hpp"

namespace steelyard::balance {

// A server that was not heard for so long gets nothing.
inline constexpr int heartbeat_age_max_seconds = 10;

// The server of a member, when it was heard lately: that of its host or, if it is one address of a
// name (resolve=each), of that address.
const heartbeat::Server* fresh_server(const heartbeat::Servers& servers, const MemberSpec& member,
                                      Instant now);

class HeartbeatList {
 public:
  // Runs the retry test on unusable members whose host was heard. `servers` may be null. Who is
  // left out counts as unusable.
  void update(Roster& roster, const heartbeat::Servers* servers, std::span<const Position> left_out,
              Instant now, std::vector<Event>& events);

  // `random` is any number. Nobody when there is no idle worker.
  [[nodiscard]] Position draw(std::uint64_t random) const;

 private:
  struct Entry {
    const heartbeat::Server* server;
    Position member;  // the last usable one of the server
  };

  std::vector<Entry> entries_;  // one a usable member, in configuration order
  std::vector<Position> last_;  // by place in Servers; of servers in entries_ only
};

}  // namespace steelyard::balance
