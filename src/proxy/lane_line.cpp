#include "proxy/lane_line.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::proxy {

LaneLine::Stay::Stay(LaneLine& line, Place place, io::Wait& wait)
    : line_(line), place_(std::make_shared<Place>(std::move(place))) {
  place_->wait = &wait;
  if (place_->is_helped) ++line_.helped_;
  line_.places_.push_back(place_);
}

LaneLine::Stay::~Stay() {
  place_->wait = nullptr;
  if (place_->is_helped) --line_.helped_;
  std::erase(line_.places_, place_);
}

void LaneLine::call(const std::shared_ptr<Place>& place) {
  place->loop->post([place] {
    if (io::Wait* const wait = std::exchange(place->wait, nullptr)) wait->wake(io::Woken::ready);
  });
}

void LaneLine::carrier_began(const Http2Carrier& carrier) {
  for (const auto& place : places_) {
    if (place->may_dial || place->is_helped || !place->fits(carrier)) continue;
    place->is_helped = true;
    ++helped_;
  }
}

void LaneLine::hand_out(const std::shared_ptr<Http2Carrier>& carrier) {
  for (auto at = places_.begin(); at != places_.end() && carrier->takes_more(false);) {
    const std::shared_ptr<Place> place = *at;
    if (!place->fits(*carrier) || !carrier->takes_more(place->sends_body)) {
      ++at;
      continue;
    }
    at = places_.erase(at);
    place->lane = lane_on(carrier);
    call(place);
  }
}

void LaneLine::call_all_but(std::size_t count) {
  std::size_t possible = possible_dials();
  for (auto at = places_.begin(); at != places_.end() && possible > count;) {
    if (!(*at)->may_dial) {
      ++at;
      continue;
    }
    call(*at);
    at = places_.erase(at);
    --possible;
  }
}

std::size_t LaneLine::possible_dials() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(places_, [](const auto& place) { return place->may_dial; }));
}

}  // namespace steelyard::proxy
