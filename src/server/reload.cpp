// A reload: the new configuration is read, validated and given its logs and ports while the old one
// serves on. Only when all of that worked do the shards hear of it; otherwise nothing changes.
//
//   read ─▶ load keys ─▶ open new logs ─▶ open new ports ─▶ bind to member state ─▶ shards adopt
//     └────────┴─────────────┴────────────────┴── a fault: said in the error log, the old
//     generation
//                                                 goes on
//   At last old ports are closed.

#include <fmt/format.h>

#include <algorithm>

#include "server/server.hpp"
#include "server/service_notice.hpp"
#include "server/tls_loading.hpp"

namespace steelyard::server {

using config::LogLevel;

void Server::reload(ShardOrders::Exchanges under_way) {
  auto configuration = read_configuration(options_);
  if (!configuration) {
    ++group_.reloads_refused;
    log_.say_lines(LogLevel::error, "core", describe_all(configuration.error(), ShowNotes::no));
    log_.say(LogLevel::error, "core",
             "the new configuration has faults; the server goes on with the one it has");
    return;
  }
  if (keeper_ && !keeper_->read_again()) {
    log_.say(LogLevel::error, "core",
             "the keeper of root's rights is gone or could not read the configuration; logs and "
             "keys that are new in it are opened with the rights of User");
  }
  phrases_.begin(configuration->config->tls.pass_phrases, PassPhrases::Asker::reload);
  if (auto loaded = load_tls(*configuration, &phrases_, keeper_.get()); !loaded) {
    ++group_.reloads_refused;
    log_.say_lines(LogLevel::error, "core", describe_all(loaded.error(), ShowNotes::no));
    log_.say(LogLevel::error, "core",
             "the new configuration has faults; the server goes on with the one it has");
    return;
  }
  if (auto taken = take_generation(std::move(*configuration), under_way); !taken) {
    ++group_.reloads_refused;
    log_.say(LogLevel::error, "core", taken.error());
    log_.say(LogLevel::error, "core",
             "the new configuration cannot be used; the server goes on with the one it has");
    return;
  }
  log_.say(LogLevel::notice, "core",
           fmt::format("{} configured -- resuming normal operations", generation_->banner()));
}

std::expected<void, std::string> Server::take_generation(Configuration configuration,
                                                         ShardOrders::Exchanges under_way) {
  auto logs = logs_.open(*configuration.config, log_opener());
  if (!logs) return std::unexpected(std::move(logs.error()));
  auto plan = plan_listeners(configuration.config->listens, open_listens_, shards_.size(),
                             configuration.config->listen_backlog);
  if (!plan) return std::unexpected(std::move(plan.error()));

  const std::vector<std::string> complaints = std::move(logs->complaints);
  generation_ = states_.bind(std::move(configuration.config), std::chrono::steady_clock::now(),
                             std::move(configuration.tls));
  const config::Config& config = generation_->config();
  open_listens_ = config.listens;
  logs_.commit(std::move(*logs), generation_);
  log_.write_to(logs_.id_of(config.servers[0]->error_log), config.servers[0]->log_levels);
  standard_error_.follow(config.servers[0]->error_log, log_opener());
  heartbeats_.obey(generation_);
  names_.adopt(generation_);
  traces_.adopt(generation_);
  staples_.adopt(generation_);
  notaries_.forget_silence();
  order_shards(std::move(*plan), under_way);
  health_.adopt(generation_);
  control_.adopt(generation_);
  try_journal_again();
  mend_pid_file();
  mend_control_socket();

  log_.say_lines(LogLevel::warn, "core", describe_all(configuration.remarks, ShowNotes::no));
  for (const std::string& complaint : complaints) {
    log_.say(LogLevel::error, "log", complaint + "; lines go on to the file that was open before");
  }
  say_what_a_reload_cannot_change(config);
  return {};
}

void Server::say_what_a_reload_cannot_change(const config::Config& next) {
  if (next.pid_file != pid_file_) {
    log_.say(LogLevel::warn, "core", "PidFile has changed: that needs a stop and a start");
  }
  if (next.control_socket != control_path_) {
    log_.say(LogLevel::warn, "core",
             "SteelyardControlSocket (or PidFile, beside which it lies) has changed: that needs a "
             "stop and a start");
  }
  if (next.journal_folder.value_or("") != journal_folder_) {
    log_.say(
        LogLevel::warn, "core",
        "SteelyardJournal (or BalancerPersist, which needs a journal) has changed: that needs a "
        "stop and a start");
  }
  if (next.cluster != cluster_spec_) {
    log_.say(LogLevel::warn, "core", "SteelyardCluster has changed: that needs a stop and a start");
  }
  if (std::pair(next.user, next.group) != identity_) {
    log_.say(LogLevel::warn, "core", "User or Group has changed: that needs a stop and a start");
  }
  if (next.shards != 0 && next.shards != shards_.size() && !options_.single_shard) {
    log_.say(LogLevel::warn, "core", "SteelyardShards has changed: that needs a stop and a start");
  }
}

}  // namespace steelyard::server
