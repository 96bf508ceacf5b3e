#include "heartbeat/board.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::heartbeat {

void Board::arrange(Source source, std::size_t servers_max) {
  const std::lock_guard hold(lock_);
  if (source_ != source) servers_ = std::make_shared<const Servers>();
  source_ = source;
  roll_.limit(source == Source::slots ? servers_max : file_servers_max);
  stale_ = source == Source::slots;
}

Source Board::source() const {
  const std::lock_guard hold(lock_);
  return source_;
}

std::shared_ptr<const Servers> Board::servers() const {
  const std::lock_guard hold(lock_);
  if (stale_) servers_ = std::make_shared<const Servers>(roll_.servers());
  stale_ = false;
  return servers_;
}

bool Board::heard_datagram(const IpAddress& ip, const Message& message, Instant now) {
  const std::lock_guard hold(lock_);
  if (!roll_.note(ip, message, now)) return false;
  stale_ = source_ == Source::slots;
  return true;
}

bool Board::heard_post(const IpAddress& ip, const Message& message, Instant now) {
  const std::lock_guard hold(lock_);
  if (source_ == Source::file) return store(ip, message, now);
  if (!roll_.note(ip, message, now)) return false;
  stale_ = true;
  return true;
}

bool Board::store(const IpAddress& ip, const Message& message, Instant now) {
  // Its age runs until the file says one: a file that cannot be written does not keep it fresh.
  Server server{.ip = ip.text(), .message = message, .seen_at = now};
  std::vector<Server> all(servers_->all().begin(), servers_->all().end());
  std::erase_if(all, [now](const Server& other) {
    return !other.written_age && now - other.seen_at >= Roll::silence_max;
  });
  const bool known = std::ranges::find(all, server.ip, &Server::ip) != all.end();
  if (!known && all.size() >= file_servers_max) return false;
  all.push_back(server);
  servers_ = std::make_shared<const Servers>(std::move(all));
  server.written_age = 0;
  if (store_) store_(std::move(server));
  return true;
}

void Board::drop_silent(Instant now) {
  const std::lock_guard hold(lock_);
  if (roll_.drop_silent(now)) stale_ = source_ == Source::slots;
}

void Board::publish(Servers servers) {
  const std::lock_guard hold(lock_);
  if (source_ == Source::file) servers_ = std::make_shared<const Servers>(std::move(servers));
}

std::vector<Server> Board::roll() const {
  const std::lock_guard hold(lock_);
  return roll_.servers();
}

void Board::store_by(Store store) {
  const std::lock_guard hold(lock_);
  store_ = std::move(store);
}

}  // namespace steelyard::heartbeat
