#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "balance/lease.hpp"
#include "heartbeat/board.hpp"
#include "io/loop.hpp"
#include "proxy/connection_gate.hpp"
#include "proxy/counters.hpp"
#include "trace/span_sink.hpp"

// The little that shards share: the limits of members, what was heard of members' servers, and a
// way to ask one another for room.
//
// Threads: any. It outlives its shards.

namespace steelyard::proxy {

class RoomMaker {
 public:
  virtual ~RoomMaker() = default;
  virtual void make_room(const balance::Member* member) = 0;
  virtual void drop_pools_of_retired() = 0;
};

// Who looks after the names of members. Called on any thread.
class NameWatch {
 public:
  virtual ~NameWatch() = default;
  // None of the member's addresses could be connected to.
  virtual void look_again(balance::MemberRef member) = 0;
};

class Desk;     // desk.hpp
class Doorman;  // doorman.hpp
class Notary;   // notary.hpp

class ShardGroup {
 public:
  GateRegistry gates;
  heartbeat::Board heartbeats;
  MemberTallies tallies;

  // Client connections of all shards. The bound is set before the first shard.
  std::atomic<std::size_t> client_connections{0};
  std::size_t client_connections_max = SIZE_MAX;
  bool has_room_for_client() const {
    return client_connections.load(std::memory_order_relaxed) < client_connections_max;
  }

  // Configurations that were not taken.
  std::atomic<std::uint64_t> reloads_refused{0};

  // What a shard is reached by; emptied on the shard's own thread before the shard dies.
  struct Door {
    io::Loop* loop;
    RoomMaker* shard;
    std::atomic<std::uint32_t> busy_connections{0};  // written by the shard alone
    ShardCells cells{};                              // likewise
  };
  std::shared_ptr<Door> enter(io::Loop& loop, RoomMaker& shard);
  void leave(const std::shared_ptr<Door>& door);
  // Asks every shard but the caller's to close an idle connection to the member.
  void ask_for_room(const balance::Member* member, const RoomMaker& caller);
  // Client connections with a request under way, of all shards.
  std::uint64_t busy_connections();
  // What all shards counted, those included that are gone.
  void add_to(ShardCells& sum);
  // Members left without a reload: their idle connections are closed.
  void members_retired();

  // Set before the first shard, or nullptr.
  Desk* desk = nullptr;
  NameWatch* names = nullptr;
  Doorman* doorman = nullptr;
  Notary* notary = nullptr;
  trace::SpanSink* spans = nullptr;
  trace::ExportCounts span_counts;
  void look_again_for(balance::Member& member) {
    if (names != nullptr) names->look_again(balance::MemberRef(&member));
  }

 private:
  std::mutex lock_;
  std::vector<std::shared_ptr<Door>> doors_;
  ShardCells left_;  // of shards that are gone
};

}  // namespace steelyard::proxy
