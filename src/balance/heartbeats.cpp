#include "balance/heartbeats.hpp"

#include <algorithm>
#include <array>

#include "balance/policies.hpp"

namespace steelyard::balance {

namespace {

constexpr std::size_t address_text_room = 48;  // as IpAddress::write() wants it for the longest

}  // namespace

const heartbeat::Server* fresh_server(const heartbeat::Servers& servers, const MemberSpec& member,
                                      Instant now) {
  const heartbeat::Server* server = servers.find(member.host);
  if (server == nullptr && member.address) {
    std::array<char, address_text_room> text;
    server = servers.find({text.data(), member.address->write(text.data(), text.size())});
  }
  if (server == nullptr || server->age_seconds(now) >= heartbeat_age_max_seconds) return nullptr;
  return server;
}

void HeartbeatList::update(Roster& roster, const heartbeat::Servers* servers,
                           std::span<const Position> left_out, Instant now,
                           std::vector<Event>& events) {
  entries_.clear();
  if (servers == nullptr) return;
  const heartbeat::Server* const first = servers->all().data();
  last_.resize(servers->all().size());
  for (Position at = 0; at < roster.size(); ++at) {
    const heartbeat::Server* const server = fresh_server(*servers, roster.spec(at), now);
    if (server == nullptr) continue;
    if (std::ranges::find(left_out, at) != left_out.end()) continue;
    roster.retry(at, now, events);
    if (!roster.usable(at)) continue;
    last_[static_cast<std::size_t>(server - first)] = at;
    entries_.push_back({.server = server, .member = at});
  }
  for (Entry& entry : entries_)
    entry.member = last_[static_cast<std::size_t>(entry.server - first)];
}

// A point from 0 up to and including the sum of the weights. An entry takes the points from where
// the one before it ends, both ends included, and of two that take a point the later wins: so the
// last of them is chosen a little more often than its weight says, even with none (httpd).
Position HeartbeatList::draw(std::uint64_t random) const {
  std::uint64_t total = 0;
  for (const Entry& entry : entries_) total += static_cast<std::uint64_t>(entry.server->weight());
  if (total == 0) return nobody;
  const std::uint64_t point = random % (total + 1);
  Position chosen = nobody;
  std::uint64_t begin = 0;
  for (const Entry& entry : entries_) {
    const std::uint64_t end = begin + static_cast<std::uint64_t>(entry.server->weight());
    if (begin <= point && point <= end) chosen = entry.member;
    begin = end;
  }
  return chosen;
}

Position pick_by_heartbeat(Turn& turn) { return turn.heartbeats->draw(turn.random.next()); }

}  // namespace steelyard::balance
