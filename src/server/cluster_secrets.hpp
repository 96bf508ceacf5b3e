#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "config/cluster_spec.hpp"
#include "server/trusted_path.hpp"

// The files that SteelyardCluster names.
//
// Threads: the main thread's; waits for the disk.

namespace steelyard::server {

struct ClusterSecrets {
  std::string ca, certificate, key, password;
};

// What is wrong with them, one sentence each; also for a process that may not read them.
std::vector<std::string> complaints_about_files(const config::ClusterSpec& spec);

// With the rights of the start.
std::expected<ClusterSecrets, std::string> read_cluster_secrets(
    const config::ClusterSpec& spec, const std::optional<Suspect>& suspect);

}  // namespace steelyard::server
