#include <algorithm>

#include "proxy/backend/member_link.hpp"

// Connections that exchanges share: who comes while one is being made waits for it.

namespace steelyard::proxy {

void MemberLink::begin_lane() {
  if (pool_ != nullptr && plan_.reuses) {
    connection_ = pool_->begin_lane(std::move(connection_), core_.parts.loop, keeping());
  } else {
    connection_ = lane_on(Http2Carrier::begin(std::move(connection_), core_.parts.loop));
  }
}

io::Task<bool> MemberLink::await_lane(Instant until) {
  while (patience_left_ > Duration{} && core_.now() < until && pool_->lanes_are_coming()) {
    const Instant began = core_.now();
    io::Wait wait(client_.timer, std::min(until, began + patience_left_));
    LaneLine::Stay stay(pool_->lane_line(), place_in_line(nullptr), wait);
    co_await wait.called();
    patience_left_ -= core_.now() - began;
    if (auto lane = stay.take_lane()) {
      adopt_pooled(std::move(lane));
      co_return true;
    }
  }
  co_return false;
}

LaneLine::Place MemberLink::place_in_line(std::shared_ptr<ConnectionGate> gate) {
  LaneLine::Place place;
  place.wish = tls_;
  place.sends_body = sends_body();
  place.may_dial = gate == nullptr;
  place.is_helped = gate != nullptr && pool_->has_carrier_for(tls_);
  if (place.is_helped) pool_->watch_lanes();
  place.gate = std::move(gate);
  place.loop = &core_.parts.loop;
  return place;
}

}  // namespace steelyard::proxy
