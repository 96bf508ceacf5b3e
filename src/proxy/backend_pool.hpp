#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/lease.hpp"
#include "proxy/backend/http2_carrier.hpp"
#include "proxy/backend_connection.hpp"
#include "proxy/lane_line.hpp"

// Connections of one shard to one member, kept for reuse: the one used last is taken first.
//
// Invariants: 1. a connection in the pool is silent and was open when it was put in; it is looked
//                at again before it is handed out.
//                A peer that closes meanwhile frees it at once.
//             2. a connection belongs to one exchange or lies in the pool.
//             3. an exchange holds the pool that it will give its connection back to: a reload may
//                retire it meanwhile.
// Connections that exchanges share (HTTP/2) are in the pool as long as they take more of them.
// Threads: the shard's.

namespace steelyard::proxy {

class BackendPool final : private io::IdleWatcher, private Http2Carrier::Keeper {
 public:
  BackendPool(balance::MemberRef member, std::shared_ptr<MemberCells> cells)
      : member_(std::move(member)), cells_(std::move(cells)) {}
  ~BackendPool() { close_all(); }

  const balance::MemberRef& member() const { return member_; }
  // The member's on this shard.
  const std::shared_ptr<MemberCells>& cells() const { return cells_; }

  // The connection used last that is still open and leads where the member's name does now;
  // nullptr: none. When all were idle since before `idle_after`, the oldest makes room for the one
  // that the caller makes instead. Only one that meets `wish` fits.
  std::unique_ptr<BackendConnection> take(Instant idle_after, const TlsWish& wish = {});
  // What is idle since then or longer is closed (httpd: ttl= counts below smax, too).
  void expire(Instant idle_since);
  // smax and ttl (zero: no limit): what is too old above smax goes.
  struct Keeping {
    std::size_t soft_max = 0;
    Duration idle_max{};
  };
  void put(std::unique_ptr<BackendConnection> connection, Instant now, const Keeping& keeping);
  // The same for members that speak HTTP/2: a lane on a connection that takes more of them.
  // `sends_body`: one whose connection has room for a body.
  std::unique_ptr<BackendConnection> take_lane(Instant idle_after, bool sends_body,
                                               const TlsWish& wish = {});
  // Connections are being made, or new, and are likely to have a lane for one exchange more.
  bool lanes_are_coming() const;
  LaneLine& lane_line() { return lane_line_; }
  // Of the connections here one fits that will have room, as far as is known; when that is over,
  // who was told so is counted anew, if lanes are watched.
  bool has_carrier_for(const TlsWish& wish) const;
  void watch_lanes() const;
  // A connection for lanes is being made, as long as this lives.
  class Dialing {
   public:
    explicit Dialing(BackendPool& pool) : pool_(pool) { ++pool_.dialing_; }
    Dialing(const Dialing&) = delete;
    Dialing& operator=(const Dialing&) = delete;
    ~Dialing() {
      --pool_.dialing_;
      pool_.call_who_waits_in_vain();
    }

   private:
    BackendPool& pool_;
  };
  // The first lane of a new one, which others may share from then on.
  std::unique_ptr<BackendConnection> begin_lane(std::unique_ptr<BackendConnection> connection,
                                                io::Loop& loop, const Keeping& keeping);
  void close_all();
  void close_oldest();
  // The member is gone from the configuration: what comes back from its last exchanges is closed.
  void retire() {
    retired_ = true;
    close_all();
  }

  // The gate when the member has a limit.
  std::shared_ptr<ConnectionGate> gate;

 private:
  bool leads_to_member(BackendConnection& connection) const;
  void drop(const Http2Carrier& carrier);
  void count_helped();
  std::size_t lanes_expected() const;
  void call_who_waits_in_vain() { lane_line_.call_all_but(lanes_expected()); }
  void carrier_has_room(Http2Carrier& carrier) override;
  void carrier_rests(Http2Carrier& carrier) override;
  void carrier_ended(Http2Carrier& carrier) override;
  bool slot_is_wanted_elsewhere() const override;
  // Lays the one used last among those that meet it on top. False: there is none.
  bool bring_up(const TlsWish& wish);
  // A peer that ends or says something unasked: its connection is of no use.
  void idle_stream_stirred(io::Stream& stream) override;

  void count_idle();

  balance::MemberRef member_;
  std::shared_ptr<MemberCells> cells_;
  bool retired_ = false;
  Keeping lane_keeping_;
  std::optional<LaneRoom> known_room_;  // of the connection that told it last
  std::size_t dialing_ = 0;
  LaneLine lane_line_;
  std::vector<std::unique_ptr<BackendConnection>> idle_;  // oldest first
  std::vector<std::shared_ptr<Http2Carrier>> carriers_;   // oldest first
};

}  // namespace steelyard::proxy
