#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "io/loop.hpp"
#include "io/stream.hpp"
#include "proxy/backend/http2_carrier.hpp"
#include "proxy/backend_connection.hpp"

// The exchanges of one shard that wait for a lane to one member (HTTP/2): because a connection is
// being made whose member has not said yet how many it allows, or because `max=` allows no other.
//
// Invariants: 1. who came first is served first, among those that the lane is good for.
//             2. a lane that was handed out is nobody else's, before its exchange woke up.
//             3. who waits is woken at another time, never from within a call to this.
// Threads: the shard's.

namespace steelyard::proxy {

class LaneLine {
 public:
  struct Place {
    TlsWish wish;             // what it names outlives the place
    bool sends_body = false;  // the connection's window has to have room
    bool may_dial = false;    // else he waits for a slot of the member's gate at the same time
    bool is_helped = false;   // does so, and there was a connection that he fits
    io::Loop* loop = nullptr;
    io::Wait* wait = nullptr;  // null: nobody waits there any more
    std::unique_ptr<BackendConnection> lane;

    bool fits(const Http2Carrier& carrier) const {
      return wish.context == nullptr || wish.is_met_by(carrier.connection());
    }
  };
  // Holds a place until it dies.
  class Stay {
   public:
    Stay(LaneLine& line, Place place, io::Wait& wait);
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay();
    // What was handed out; null: nothing.
    std::unique_ptr<BackendConnection> take_lane() { return std::move(place_->lane); }

   private:
    LaneLine& line_;
    std::shared_ptr<Place> place_;
  };

  // There is another connection.
  void carrier_began(const Http2Carrier& carrier);
  // As many lanes as there are for those who wait.
  void hand_out(const std::shared_ptr<Http2Carrier>& carrier);
  // Of those that may make a connection of their own all but `count` are called to do so.
  void call_all_but(std::size_t count);
  std::size_t possible_dials() const;
  // Of those that stand in the gate's queue, how many will have a lane. They count until they know
  // that they have it: so long they are in both queues.
  std::size_t helped() const { return helped_; }

 private:
  static void call(const std::shared_ptr<Place>& place);

  std::deque<std::shared_ptr<Place>> places_;
  std::size_t helped_ = 0;
};

}  // namespace steelyard::proxy
