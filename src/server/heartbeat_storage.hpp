#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"
#include "heartbeat/storage_file.hpp"

// The HeartbeatStorage file on disk: read when it has changed, replaced as a whole.
//
// Threads: the owner's; never a shard's, as disks may be slow.

namespace steelyard::server {

class HeartbeatStorage {
 public:
  explicit HeartbeatStorage(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }

  // What it says, unless it is the file that was read the last time. One that cannot be read gives
  // Servers with the trouble.
  std::optional<heartbeat::Servers> read_if_changed();

  // httpd: a temporary file beside it, readable by all, takes its place. The error is ready for a
  // log.
  std::expected<void, std::string> write(std::span<const heartbeat::Server> servers, Instant now);
  // Replaces or adds the lines of these.
  std::expected<void, std::string> add(std::span<const heartbeat::Server> servers, Instant now);

 private:
  std::expected<void, std::string> replace(const std::string& text);

  std::string path_;
  // What tells one version of the file from another.
  std::string version_ = "never";
};

}  // namespace steelyard::server
