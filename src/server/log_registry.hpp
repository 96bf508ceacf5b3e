#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "server/log_writer.hpp"

// Which log output stands for which target of a configuration. A target that several servers or
// generations name is one output; one that no living generation names is closed.
//
// Threads: id_of() any; the rest the main thread.

namespace steelyard::server {

// Every target of a configuration, each once.
std::vector<config::LogTarget> log_targets(const config::Config& config);

// Outputs opened for a configuration that is not accepted yet.
struct OpenedLogs {
  struct One {
    config::LogTarget target;
    std::unique_ptr<LogOutput> output;  // null: could not be opened again, the old one goes on
  };
  std::vector<One> outputs;
  std::vector<std::string> complaints;  // about those that go on as they were
};

class LogRegistry {
 public:
  explicit LogRegistry(LogWriter& writer) : writer_(writer) {}

  // Opens every target anew, also those that are open: that is how files are rotated. The error:
  // a new target cannot be opened.
  std::expected<OpenedLogs, std::string> open(const config::Config& config,
                                              LogOpener& opener) const;
  // Puts them to use, as long as `generation` lives.
  void commit(OpenedLogs opened, std::weak_ptr<const void> generation);
  // Closes what no generation needs any more. False: some generation but the newest still lives.
  bool sweep();

  // 0: unknown.
  LogOutputId id_of(const config::LogTarget& target) const;

 private:
  struct TargetHash {
    std::size_t operator()(const config::LogTarget& target) const {
      return std::hash<std::string_view>()(target.text) + static_cast<std::size_t>(target.kind);
    }
  };
  struct Known {
    LogOutputId id = 0;
    std::optional<FileIdentity> file;  // that was opened last
  };
  struct User {
    std::weak_ptr<const void> generation;
    std::vector<LogOutputId> outputs;
  };

  LogWriter& writer_;
  mutable std::mutex lock_;  // guards known_, which the main thread alone changes
  std::unordered_map<config::LogTarget, Known, TargetHash> known_;
  std::vector<User> users_;
  LogOutputId last_id_ = 0;
};

}  // namespace steelyard::server
