#include "server/shard_log.hpp"

#include <unistd.h>

#include <algorithm>

#include "server/error_line.hpp"

namespace steelyard::server {

namespace {

constexpr std::size_t known_targets_max = 64;

}  // namespace

void ShardLog::access(const config::LogTarget& target, std::string_view line) {
  const LogOutputId id = id_of(target);
  batch_.bytes += line;
  batch_.bytes += '\n';
  batch_.note_added(id, config::LogLevel::info, line.size() + 1);
  if (batch_.bytes.size() > batch_bytes_max) turn_ended();
}

void ShardLog::error(const config::LogTarget& target, const proxy::ErrorLine& line) {
  if (tid_ == 0) tid_ = ::gettid();
  const LogOutputId id = id_of(target);
  const std::size_t before = batch_.bytes.size();
  append_error_line(batch_.bytes, tid_, line);
  batch_.note_added(id, line.level, batch_.bytes.size() - before);
  if (batch_.bytes.size() > batch_bytes_max) turn_ended();
}

void ShardLog::turn_ended() {
  if (!batch_.empty()) writer_.hand_over(batch_);
}

// Targets are compared by value: the one of a later generation has another address.
LogOutputId ShardLog::id_of(const config::LogTarget& target) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i].target != target) continue;
    if (i > 0) std::swap(known_[i], known_[i / 2]);
    return known_[i / 2].id;
  }
  const LogOutputId id = registry_.id_of(target);
  if (known_.size() == known_targets_max) known_.pop_back();
  if (id != 0) known_.push_back({target, id});
  return id;
}

}  // namespace steelyard::server
