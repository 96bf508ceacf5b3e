#include "server/log_registry.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::server {

namespace {

std::vector<config::LogTarget> targets_of(const config::Config& config) {
  std::vector<config::LogTarget> targets;
  const auto add = [&targets](const config::LogTarget& target) {
    if (std::ranges::find(targets, target) == targets.end()) targets.push_back(target);
  };
  for (const auto& server : config.servers) {
    add(server->error_log);
    for (const auto& log : server->access_logs) add(log.target);
  }
  return targets;
}

}  // namespace

std::expected<OpenedLogs, std::string> LogRegistry::open(const config::Config& config) const {
  OpenedLogs opened;
  for (config::LogTarget& target : targets_of(config)) {
    auto output = LogOutput::open(target);
    if (!output && id_of(target) == 0) return std::unexpected(std::move(output.error()));
    if (!output) opened.complaints.push_back(std::move(output.error()));
    opened.outputs.push_back({std::move(target), output ? std::move(*output) : nullptr});
  }
  return opened;
}

void LogRegistry::commit(OpenedLogs opened, std::weak_ptr<const void> generation) {
  User user{.generation = std::move(generation), .outputs = {}};
  for (auto& [target, output] : opened.outputs) {
    LogOutputId id = 0;
    {
      const std::lock_guard guard(lock_);
      LogOutputId& known = ids_[target];
      if (known == 0) known = ++last_id_;
      id = known;
    }
    user.outputs.push_back(id);
    if (output) writer_.install(id, std::move(output));
  }
  users_.push_back(std::move(user));
}

bool LogRegistry::sweep() {
  std::erase_if(users_, [](const User& user) { return user.generation.expired(); });
  std::vector<LogOutputId> unused;
  {
    const std::lock_guard guard(lock_);
    std::erase_if(ids_, [&](const auto& entry) {
      const bool used = std::ranges::any_of(users_, [&](const User& user) {
        return std::ranges::find(user.outputs, entry.second) != user.outputs.end();
      });
      if (!used) unused.push_back(entry.second);
      return !used;
    });
  }
  for (const LogOutputId id : unused) writer_.remove(id);
  return users_.size() <= 1;
}

LogOutputId LogRegistry::id_of(const config::LogTarget& target) const {
  const std::lock_guard guard(lock_);
  const auto found = ids_.find(target);
  return found == ids_.end() ? 0 : found->second;
}

}  // namespace steelyard::server
