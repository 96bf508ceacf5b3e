#include "proxy/backend_pool.hpp"

namespace steelyard::proxy {

std::unique_ptr<BackendConnection> BackendPool::take() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    // A peer that closed or said something unasked is not used again.
    if (connection->stream->silent_and_open()) return connection;
  }
  return nullptr;
}

void BackendPool::put(std::unique_ptr<BackendConnection> connection, Instant now,
                      std::size_t soft_max, Duration idle_max) {
  connection->idle_since = now;
  idle_.push_back(std::move(connection));
  if (idle_max == Duration{}) return;
  while (idle_.size() > soft_max && idle_.front()->idle_since + idle_max < now)
    idle_.erase(idle_.begin());
}

}  // namespace steelyard::proxy
