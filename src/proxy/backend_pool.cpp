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

void BackendPool::put(std::unique_ptr<BackendConnection> connection, Instant now,
                      std::size_t soft_max, Duration idle_max) {
  if (retired_) return;
  connection->idle_since = now;
  connection->stream->set_idle_watcher(this);
  idle_.push_back(std::move(connection));
  if (idle_max != Duration{}) {
    while (idle_.size() > soft_max && idle_.front()->idle_since + idle_max < now)
      idle_.erase(idle_.begin());
  }
  count_idle();
}

void BackendPool::close_all() {
  idle_.clear();
  count_idle();
}

void BackendPool::close_oldest() {
  if (!idle_.empty()) idle_.erase(idle_.begin());
  count_idle();
}

void BackendPool::idle_stream_stirred(io::Stream& stream) {
  std::erase_if(idle_, [&](const auto& connection) { return connection->stream.get() == &stream; });
  count_idle();
}

}  // namespace steelyard::proxy
