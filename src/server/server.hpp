#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "cluster/kept.hpp"
#include "proxy/generation.hpp"
#include "server/cluster_secrets.hpp"
#include "server/cluster_thread.hpp"
#include "server/configuration.hpp"
#include "server/control_thread.hpp"
#include "server/detachment.hpp"
#include "server/health_thread.hpp"
#include "server/heartbeat_thread.hpp"
#include "server/keeper.hpp"
#include "server/log_registry.hpp"
#include "server/log_writer.hpp"
#include "server/login_threads.hpp"
#include "server/main_log.hpp"
#include "server/names_thread.hpp"
#include "server/notary_threads.hpp"
#include "server/options.hpp"
#include "server/pass_phrases.hpp"
#include "server/shard_thread.hpp"
#include "server/signals.hpp"
#include "server/standard_error.hpp"
#include "server/staple_thread.hpp"
#include "server/trace_thread.hpp"

// The whole program while it serves: shards, logs, and the main thread, which obeys signals.
//
//   prepare()  logs and ports opened, pid file written, root given up   ── a fault: nothing started
//   run()      shards started ─ signals ─▶ reload, restart, graceful stop, stop
//
// Threads: the main thread.

namespace steelyard::server {

class Server {
 public:
  Server(Options options, Signals signals, PassPhrases phrases);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // The error is for the terminal: one reason a line.
  std::expected<void, std::string> prepare(Configuration configuration);
  // Serves until a signal says stop; `detachment` is told when clients can connect.
  void run(Detachment& detachment);

 private:
  // prepare()
  std::expected<void, std::string> start_keeper(const config::Config& config);
  std::expected<void, std::string> open_ports(const config::Config& config);
  std::expected<void, std::string> become_user(const config::Config& config);
  std::expected<void, std::string> claim_pid_file(const config::Config& config);
  void mend_pid_file();
  void open_control_socket(const config::Config& config);
  void mend_control_socket();
  void provide_journal_folder(const config::Config& config);
  void bring_changes_back();
  void try_journal_again();

  // cluster.cpp
  std::expected<void, std::string> read_cluster_files(const config::Config& config);
  std::optional<cluster::Kept> read_what_was_shared(const std::string& path);
  void join_cluster();

  // reload.cpp
  void reload(ShardOrders::Exchanges under_way);
  std::expected<void, std::string> take_generation(Configuration configuration,
                                                   ShardOrders::Exchanges under_way);
  void say_what_a_reload_cannot_change(const config::Config& next);
  void order_shards(ListenPlan plan, ShardOrders::Exchanges under_way);

  LogOpener& log_opener();
  void give_back_pid_file();
  void close_control_socket();
  void say_that_the_keeper_is_gone();
  void start_shards();
  void obey_signals();
  void stop_gracefully();
  void stop_shards();
  void leave();  // may be called again

  Options options_;
  Signals signals_;
  PassPhrases phrases_;
  std::unique_ptr<Keeper> keeper_;  // none: this process keeps the rights it has
  LogWriter writer_;
  LogRegistry logs_{writer_};
  MainLog log_{writer_};
  proxy::StateRegistry states_;
  std::shared_ptr<const proxy::Generation> generation_;
  proxy::ShardGroup group_;
  HeartbeatThread heartbeats_{group_, writer_, logs_};
  LoginThreads logins_;
  NotaryThreads notaries_;
  std::vector<std::unique_ptr<ShardThread>> shards_;
  TraceThread traces_{group_, writer_, logs_};
  StapleThread staples_{writer_, logs_};
  HealthThread health_{writer_, logs_};
  NamesThread names_{writer_, logs_, [this] {
                       group_.members_retired();
                       health_.members_changed();
                     }};
  ControlThread control_{group_, writer_, logs_,
                         [this](std::shared_ptr<const proxy::Generation> changed) {
                           group_.members_retired();
                           names_.members_changed(changed);
                           health_.adopt(std::move(changed));
                         }};
  std::optional<config::ClusterSpec> cluster_spec_;  // as configured at the start
  ClusterSecrets cluster_secrets_;                   // until the thread has them
  std::unique_ptr<ClusterThread> cluster_;           // none: nothing is shared
  std::size_t shard_count_ = 1;
  std::vector<config::Listen> open_listens_;
  ListenPlan first_ports_;
  std::string pid_file_;
  std::optional<std::string> control_path_;  // as configured at the start
  std::string journal_folder_;               // the same; empty: there is none
  bool has_journal_ = false;                 // and it is open
  StandardError standard_error_;
  Descriptor control_socket_;                     // until the thread has it
  bool has_control_socket_ = false;               // its file is ours to remove
  std::pair<std::string, std::string> identity_;  // User and Group at the start
};

}  // namespace steelyard::server
