#include "proxy/backend_pool.hpp"

#include <algorithm>

namespace steelyard::proxy {

// Made for other hosts, where nothing else bounds them: one client can name as many as it likes.
constexpr std::size_t misfits_max = 32;

// httpd: a connection that was made for another host is closed, if it stands in the way.
bool BackendPool::bring_up(const TlsWish& wish) {
  const auto fits = [&wish](const auto& connection) { return wish.is_met_by(*connection); };
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(), fits);
  if (found == idle_.rend()) {
    if (gate || idle_.size() >= misfits_max) close_oldest();
    return false;
  }
  std::rotate(std::prev(found.base()), found.base(), idle_.end());
  return true;
}

std::unique_ptr<BackendConnection> BackendPool::take(Instant idle_after, const TlsWish& wish) {
  while (!idle_.empty()) {
    if (wish.context != nullptr && !bring_up(wish)) return nullptr;
    if (idle_.back()->idle_since < idle_after) {
      close_oldest();
      return nullptr;
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    count_idle();
    connection->stream->set_idle_watcher(nullptr);
    if (leads_to_member(*connection) && connection->stream->silent_and_open()) return connection;
  }
  return nullptr;
}

// One comparison, but for the first use after the member's addresses changed.
bool BackendPool::leads_to_member(BackendConnection& connection) const {
  const balance::KnownAddresses& known = member_->addresses();
  const std::uint32_t version = known.version();
  if (connection.addresses_version == version) return true;
  if (!known.holds(connection.stream->dialed().ip)) return false;
  connection.addresses_version = version;
  return true;
}

void BackendPool::expire(Instant idle_since) {
  std::erase_if(idle_,
                [=](const auto& connection) { return connection->idle_since <= idle_since; });
  const auto is_old = [=](const auto& carrier) {
    return carrier->rests() && carrier->rests_since() <= idle_since;
  };
  for (auto old = std::ranges::find_if(carriers_, is_old); old != carriers_.end();
       old = std::ranges::find_if(carriers_, is_old))
    drop(**old);
  count_idle();
}

void BackendPool::put(std::unique_ptr<BackendConnection> connection, Instant now,
                      const Keeping& keeping) {
  if (retired_) return;
  connection->idle_since = now;
  connection->stream->set_idle_watcher(this);
  idle_.push_back(std::move(connection));
  if (keeping.idle_max != Duration{}) {
    while (idle_.size() > keeping.soft_max && idle_.front()->idle_since + keeping.idle_max < now)
      idle_.erase(idle_.begin());
  }
  count_idle();
}

// Those that are in use go on until their exchanges are over.
void BackendPool::close_all() {
  idle_.clear();
  const auto carriers = std::exchange(carriers_, {});
  for (const auto& carrier : carriers) carrier->set_keeper(nullptr);
  count_helped();
  call_who_waits_in_vain();
  count_idle();
}

void BackendPool::close_oldest() {
  if (!idle_.empty()) {
    idle_.erase(idle_.begin());
  } else if (const auto resting = std::ranges::find_if(carriers_, &Http2Carrier::rests);
             resting != carriers_.end()) {
    drop(**resting);
  }
  count_idle();
}

std::unique_ptr<BackendConnection> BackendPool::take_lane(Instant idle_after, bool sends_body,
                                                          const TlsWish& wish) {
  // The one used last first; what is of no more use is met on the way.
  for (std::size_t i = carriers_.size(); i-- > 0;) {
    const std::shared_ptr<Http2Carrier> carrier = carriers_[i];
    if (wish.context != nullptr && !wish.is_met_by(carrier->connection())) continue;
    const bool is_stale = carrier->rests() && carrier->rests_since() < idle_after;
    if (is_stale || !leads_to_member(carrier->connection()) || carrier->is_over()) {
      drop(*carrier);
      continue;
    }
    if (!carrier->takes_more(sends_body)) continue;
    auto lane = lane_on(carrier);
    count_idle();
    return lane;
  }
  if (wish.context != nullptr && carriers_.size() >= misfits_max) close_oldest();
  return nullptr;
}

std::unique_ptr<BackendConnection> BackendPool::begin_lane(
    std::unique_ptr<BackendConnection> connection, io::Loop& loop, const Keeping& keeping) {
  const auto carrier =
      Http2Carrier::begin(std::move(connection), loop, known_room_.value_or(LaneRoom{}));
  lane_keeping_ = keeping;
  if (!retired_) {
    carrier->set_keeper(this);
    carriers_.push_back(carrier);
    count_helped();
  }
  auto lane = lane_on(carrier);
  if (!retired_) carrier_has_room(*carrier);
  return lane;
}

bool BackendPool::has_carrier_for(const TlsWish& wish) const {
  return std::ranges::any_of(carriers_, [&wish](const auto& each) {
    const bool fits = wish.context == nullptr || wish.is_met_by(each->connection());
    return fits && each->will_have_room();
  });
}

void BackendPool::watch_lanes() const {
  for (const auto& carrier : carriers_) carrier->watch_lanes();
}

void BackendPool::count_helped() {
  lane_line_.look_again(
      [this](const LaneLine::Place& place) { return has_carrier_for(place.wish); });
}

// By a shard that has no connection with room to come, or by one here who speaks TLS with another
// host.
bool BackendPool::slot_is_wanted_elsewhere() const {
  return gate != nullptr && gate->anyone_waits_in_vain();
}

bool BackendPool::lanes_are_coming() const {
  return lane_line_.possible_dials() < lanes_expected();
}

// What the member allowed last, it will allow again. Whoever dials has the first lane himself.
std::size_t BackendPool::lanes_expected() const {
  const std::size_t each = known_room_ ? std::max<std::size_t>(known_room_->lanes(), 1) : lanes_max;
  std::size_t lanes = dialing_ * (each - 1);
  for (const auto& carrier : carriers_) {
    if (carrier->is_settling()) lanes += each - std::min(each, carrier->lanes());
  }
  return lanes;
}

void BackendPool::carrier_has_room(Http2Carrier& carrier) {
  if (carrier.is_over()) return;
  if (!carrier.is_settling()) known_room_ = carrier.room();
  lane_line_.hand_out(carrier.shared_from_this());
  count_helped();
  call_who_waits_in_vain();
}

void BackendPool::carrier_ended(Http2Carrier& carrier) {
  drop(carrier);
  call_who_waits_in_vain();
}

void BackendPool::drop(const Http2Carrier& carrier) {
  const auto found = std::ranges::find(carriers_, &carrier, &std::shared_ptr<Http2Carrier>::get);
  if (found == carriers_.end()) return;
  const std::shared_ptr<Http2Carrier> dropped = std::move(*found);
  carriers_.erase(found);
  dropped->set_keeper(nullptr);
  count_helped();
  count_idle();
}

// Nobody uses it now: another shard's exchange may have its slot, and one that takes no more goes.
// So does one whose member never said a word.
void BackendPool::carrier_rests(Http2Carrier& carrier) {
  if (carrier.is_settling() || !carrier.takes_more(true) || carrier.slot_is_wanted()) {
    drop(carrier);
    return call_who_waits_in_vain();
  }
  const auto now = carrier.rests_since();
  if (lane_keeping_.idle_max != Duration{}) {
    while (carriers_.size() > lane_keeping_.soft_max && carriers_.front()->rests() &&
           carriers_.front()->rests_since() + lane_keeping_.idle_max < now)
      drop(*carriers_.front());
  }
  count_idle();
}

void BackendPool::count_idle() {
  const auto resting = std::ranges::count_if(carriers_, &Http2Carrier::rests);
  cells_->idle.set(static_cast<std::int64_t>(idle_.size()) + resting);
}

void BackendPool::idle_stream_stirred(io::Stream& stream) {
  std::erase_if(idle_, [&](const auto& connection) { return connection->stream.get() == &stream; });
  count_idle();
}

}  // namespace steelyard::proxy
