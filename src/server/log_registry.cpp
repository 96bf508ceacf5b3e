#include "server/log_registry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace steelyard::server {

namespace {

// Nothing was rotated: the path still leads to the file that is open.
bool is_still_there(const config::LogTarget& target, const std::optional<FileIdentity>& open) {
  struct stat found{};
  return open && ::stat(target.text.c_str(), &found) == 0 &&
         FileIdentity{found.st_dev, found.st_ino} == *open;
}

}  // namespace

std::vector<config::LogTarget> log_targets(const config::Config& config) {
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

std::expected<OpenedLogs, std::string> LogRegistry::open(const config::Config& config,
                                                         LogOpener& opener) const {
  OpenedLogs opened;
  for (config::LogTarget& target : log_targets(config)) {
    auto output = LogOutput::open(target, opener);
    const auto known = known_.find(target);
    if (!output && known == known_.end()) return std::unexpected(std::move(output.error()));
    if (!output && !is_still_there(target, known->second.file))
      opened.complaints.push_back(std::move(output.error()));
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
      Known& known = known_[target];
      if (known.id == 0) known.id = ++last_id_;
      if (output) known.file = output->file();
      id = known.id;
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
    std::erase_if(known_, [&](const auto& entry) {
      const bool used = std::ranges::any_of(users_, [&](const User& user) {
        return std::ranges::find(user.outputs, entry.second.id) != user.outputs.end();
      });
      if (!used) unused.push_back(entry.second.id);
      return !used;
    });
  }
  for (const LogOutputId id : unused) writer_.remove(id);
  return users_.size() <= 1;
}

LogOutputId LogRegistry::id_of(const config::LogTarget& target) const {
  const std::lock_guard guard(lock_);
  const auto found = known_.find(target);
  return found == known_.end() ? 0 : found->second.id;
}

}  // namespace steelyard::server
