#include "server/server.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "journal/folder.hpp"
#include "server/control_socket.hpp"
#include "server/countdown.hpp"
#include "server/descriptor_budget.hpp"
#include "server/pid_file.hpp"
#include "server/privileges.hpp"
#include "server/service_notice.hpp"
#include "server/tls_loading.hpp"
#include "tls/named_files.hpp"

namespace steelyard::server {

namespace {

using config::LogLevel;

// How often closed logs of old generations are looked after while there are any.
constexpr Duration sweep_interval = std::chrono::seconds(1);

// The processors this process may use: a pinned server gets as many shards as it has cores.
std::size_t default_shard_count() {
  cpu_set_t usable;  // too small for a machine of more than 1024: then all count
  if (::sched_getaffinity(0, sizeof(usable), &usable) == 0) return CPU_COUNT(&usable);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Server::Server(Options options, Signals signals, PassPhrases phrases)
    : options_(std::move(options)), signals_(std::move(signals)), phrases_(std::move(phrases)) {}

Server::~Server() { leave(); }

std::expected<void, std::string> Server::prepare(Configuration configuration) {
  const config::Config& config = *configuration.config;
  log_.show_on_terminal(options_.startup_level);
  group_.client_connections_max = client_connections_max(raise_descriptor_limit());
  shard_count_ = config.shards != 0 ? config.shards : default_shard_count();
  if (options_.single_shard) shard_count_ = 1;
  if (auto started = start_keeper(config); !started) return started;
  auto logs = logs_.open(config, log_opener());
  if (!logs) return std::unexpected(logs.error() + "\nunable to open logs");
  if (auto opened = open_ports(config); !opened) {
    return std::unexpected(opened.error() + "\nno listening sockets available, shutting down");
  }
  // Others who ask are told that nobody counts.
  states_.count_sessions(!config.control_socket.value_or("").empty());
  generation_ = states_.bind(std::move(configuration.config), std::chrono::steady_clock::now(),
                             std::move(configuration.tls));
  logs_.commit(std::move(*logs), generation_);
  const config::Server& main_server = *generation_->config().servers[0];
  log_.write_to(logs_.id_of(main_server.error_log), main_server.log_levels);
  log_.say_lines(LogLevel::warn, "core", describe_all(configuration.remarks, ShowNotes::no));
  log_.say(LogLevel::info, "core",
           fmt::format("up to {} client connections at a time, by the limit on open files",
                       group_.client_connections_max));
  if (auto claimed = claim_pid_file(generation_->config()); !claimed) return claimed;
  open_control_socket(generation_->config());
  provide_journal_folder(generation_->config());
  if (auto read = read_cluster_files(generation_->config()); !read) return read;
  return become_user(generation_->config());
}

std::expected<void, std::string> Server::open_ports(const config::Config& config) {
  auto plan = plan_listeners(config.listens, {}, shard_count_, config.listen_backlog);
  if (!plan) return std::unexpected(std::move(plan.error()));
  first_ports_ = std::move(*plan);
  open_listens_ = config.listens;
  for (const ListeningSockets& line : first_ports_.opened) {
    const config::Listen& at = line.listen;
    log_.say(LogLevel::info, "core",
             fmt::format("listening on {} for {} shards",
                         at.ip ? Endpoint{*at.ip, at.port}.text() : fmt::format("[::]:{}", at.port),
                         line.sockets.size()));
  }
  return {};
}

std::expected<void, std::string> Server::claim_pid_file(const config::Config& config) {
  const auto left_over = read_pid_file(config.pid_file);
  if (left_over && *left_over) {
    log_.say(LogLevel::warn, "core",
             fmt::format("pid file {} overwritten -- unclean shutdown of the previous run?",
                         config.pid_file));
  }
  auto written = write_pid_file(config.pid_file, ::getpid());
  if (written) pid_file_ = config.pid_file;
  return written;
}

// httpd writes it at every reload, whatever is there. A directory under its name, which ends httpd,
// is no reason to stop serving.
void Server::mend_pid_file() {
  const auto found = read_pid_file(pid_file_);
  if (found && *found && (*found)->pid == ::getpid()) return;
  const int keepers = keeper_ ? keeper_->write_pid_file() : EPERM;
  if (keepers == EALREADY) return;  // where User may not look
  if (keepers != 0) {
    if (auto written = write_pid_file(pid_file_, ::getpid()); !written)
      return log_.say(LogLevel::error, "core", written.error());
  }
  if (found && *found) {
    log_.say(LogLevel::warn, "core",
             fmt::format("pid file {} named process {} and names this server again", pid_file_,
                         (*found)->pid));
  } else {
    log_.say(LogLevel::notice, "core",
             fmt::format("pid file {} did not name this server and is written anew", pid_file_));
  }
}

// With the rights of the start, so that it lies where the pid file does and belongs to who started
// the server. Requests are served without it, too.
void Server::open_control_socket(const config::Config& config) {
  control_path_ = config.control_socket;
  if (!control_path_ || control_path_->empty()) return;
  auto opened = server::open_control_socket(*control_path_);
  if (!opened) {
    log_.say(LogLevel::warn, "core", opened.error() + "; steelyard ctl cannot reach this server");
    return;
  }
  control_socket_ = std::move(*opened);
  has_control_socket_ = true;
}

// Somebody has cleared the directory it lay in. Where the user of the server may not make it anew,
// that takes a stop and a start.
void Server::mend_control_socket() {
  if (!has_control_socket_ || ::access(control_path_->c_str(), F_OK) == 0) return;
  if (errno != ENOENT && errno != ENOTDIR) return;  // where User may not look
  auto opened = server::open_control_socket(*control_path_);
  if (!opened) {
    log_.say(LogLevel::error, "core",
             "the control socket is gone, and steelyard ctl cannot reach this server: " +
                 opened.error());
    return;
  }
  log_.say(LogLevel::notice, "core", "the control socket was gone, and is made anew");
  control_.listen_anew(std::move(*opened));
}

// In a directory of root's, where User could not make it.
void Server::provide_journal_folder(const config::Config& config) {
  journal_folder_ = config.journal_folder.value_or("");
  if (journal_folder_.empty() || !running_as_root() || config.user.empty()) return;
  const auto identity = find_identity(config.user, config.group);
  if (!identity) return;  // become_user() says so
  const auto provided =
      journal::provide_folder_for(journal_folder_, identity->user, identity->group);
  if (!provided) log_.say(LogLevel::error, "proxy_balancer", provided.error().text);
}

void Server::bring_changes_back() {
  if (journal_folder_.empty()) return;
  auto journal = journal::Journal::open(journal_folder_, WallTime::clock::now());
  if (!journal) {
    log_.say(LogLevel::error, "proxy_balancer",
             "the journal of operators' changes cannot be used, and changes are refused until a "
             "reload finds it well: " +
                 journal.error().text);
    control_.bring_back(std::unexpected(std::move(journal.error())), generation_);
    return;
  }
  if (!journal->remark().empty()) log_.say(LogLevel::warn, "proxy_balancer", journal->remark());
  has_journal_ = true;
  control_.bring_back(std::move(*journal), generation_);
}

// In a cluster it would have to be weighed against what the others said meanwhile, which is done at
// a start.
void Server::try_journal_again() {
  if (has_journal_) control_.open_journal_again(journal_folder_);
  if (has_journal_ || journal_folder_.empty() || cluster_spec_) return;
  auto journal = journal::Journal::open(journal_folder_, WallTime::clock::now());
  if (!journal) {
    log_.say(LogLevel::error, "proxy_balancer",
             "the journal of operators' changes still cannot be used: " + journal.error().text);
    return;
  }
  if (!journal->remark().empty()) log_.say(LogLevel::warn, "proxy_balancer", journal->remark());
  log_.say(LogLevel::notice, "proxy_balancer",
           "the journal of operators' changes is used from now on");
  has_journal_ = true;
  control_.bring_back_late(std::move(*journal));
}

std::expected<void, std::string> Server::become_user(const config::Config& config) {
  identity_ = {config.user, config.group};
  if (!running_as_root()) return {};
  if (config.user.empty()) {
    log_.say(LogLevel::warn, "core",
             "serving as root: set User and Group to give root's rights up after the start");
    return {};
  }
  const auto identity = find_identity(config.user, config.group);
  if (!identity) return std::unexpected(identity.error());
  return become(*identity);
}

// Only who gives root up needs somebody who kept it.
std::expected<void, std::string> Server::start_keeper(const config::Config& config) {
  if (!running_as_root() || config.user.empty()) return {};
  const auto identity = find_identity(config.user, config.group);
  if (!identity) return std::unexpected(identity.error());
  if (identity->user == 0) return {};
  Keeper::Duties duties;
  duties.server = {identity->user, supplementary_groups(*identity)};
  duties.pid_file = config.pid_file;
  duties.server_process = ::getpid();
  duties.control_socket = config.control_socket.value_or("");
  duties.read_targets = [this]() -> std::optional<Keeper::Duties::Targets> {
    auto read = read_configuration(options_, Purpose::look);
    if (!read) return std::nullopt;
    return Keeper::Duties::Targets{log_targets(*read->config),
                                   tls::named_files(*read->config, list_files)};
  };
  using Terminal = Keeper::Duties::Terminal;
  duties.terminal = options_.foreground ? Terminal::keep : Terminal::leave;
  auto keeper = Keeper::start(duties);
  if (!keeper) return std::unexpected("could not start the keeper: " + keeper.error());
  keeper_ = std::move(*keeper);
  signals_.mourn_when_closed(keeper_->line());
  return {};
}

void Server::say_that_the_keeper_is_gone() {
  log_.say(LogLevel::error, "core",
           "the keeper of root's rights is gone and cannot be replaced without root: from now on "
           "logs and keys are opened and programs of piped logs started with the rights of User, "
           "and the pid file and the control socket may stay behind at the end; all else goes on. "
           "Stop and start the server to have a keeper again");
}

LogOpener& Server::log_opener() {
  if (keeper_) return *keeper_;
  return OwnRights::instance();
}

void Server::give_back_pid_file() {
  if (keeper_ && keeper_->remove_pid_file()) return;
  remove_pid_file(pid_file_, ::getpid());
}

// Closed before its file goes: then nobody listens there but a successor, whose file stays.
void Server::close_control_socket() {
  control_.close_socket();
  control_socket_.close();
  if (!std::exchange(has_control_socket_, false)) return;
  if (keeper_ && keeper_->remove_control_socket()) return;
  remove_control_socket(*control_path_);
}

void Server::run(Detachment& detachment) {
  writer_.start();
  group_.names = &names_;
  group_.doorman = &logins_;
  group_.notary = &notaries_;
  group_.desk = &control_;
  group_.spans = &traces_;
  bring_changes_back();
  join_cluster();
  names_.adopt(generation_);
  control_.start(std::move(control_socket_), generation_);
  traces_.adopt(generation_);
  staples_.adopt(generation_);
  start_shards();
  health_.adopt(generation_);
  if (cluster_ != nullptr) cluster_->start();
  log_.say(LogLevel::notice, "core",
           fmt::format("{} configured -- resuming normal operations", generation_->banner()));
  log_.show_on_terminal(std::nullopt);
  const bool leaves = detachment.is_in_background();
  detachment.ready();
  if (leaves) standard_error_.leave_terminal();
  standard_error_.follow(generation_->config().servers[0]->error_log, log_opener());
  notify_service_manager("READY=1");
  obey_signals();
  notify_service_manager("STOPPING=1");
  leave();
}

void Server::start_shards() {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    shards_.push_back(std::make_unique<ShardThread>(i, group_, writer_, logs_));
    shards_.back()->start();
  }
  heartbeats_.obey(generation_);
  order_shards(std::move(first_ports_), ShardOrders::Exchanges::finish);
}

void Server::order_shards(ListenPlan plan, ShardOrders::Exchanges under_way) {
  Countdown obeyed(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    ShardOrders orders{
        .generation = generation_, .opened = {}, .closed = plan.closed, .under_way = under_way};
    for (ListeningSockets& line : plan.opened) {
      orders.opened.push_back({line.listen, line.sockets[i].release()});
    }
    shards_[i]->obey(std::move(orders), [&obeyed] { obeyed.count_down(); });
  }
  obeyed.wait();
}

void Server::obey_signals() {
  bool swept = true;
  while (true) {
    const auto order =
        signals_.next(swept ? std::nullopt : std::optional<Duration>(sweep_interval));
    if (!order) {
      swept = logs_.sweep();
      continue;
    }
    switch (*order) {
      case Order::stop:
        log_.say(LogLevel::notice, "core", "caught SIGTERM, shutting down");
        return;
      case Order::graceful_stop:
        log_.say(LogLevel::notice, "core", "caught SIGWINCH, shutting down gracefully");
        stop_gracefully();
        return;
      case Order::graceful:
        log_.say(LogLevel::notice, "core", "SIGUSR1 received.  Doing graceful restart");
        reload(ShardOrders::Exchanges::finish);
        break;
      case Order::restart:
        log_.say(LogLevel::notice, "core", "SIGHUP received.  Attempting to restart");
        reload(ShardOrders::Exchanges::end);
        break;
      case Order::mourn:
        say_that_the_keeper_is_gone();
        break;
    }
    swept = logs_.sweep();
  }
}

// Pid file and control socket go first, so that a successor may start while the last exchanges
// finish.
void Server::stop_gracefully() {
  close_control_socket();
  give_back_pid_file();
  health_.stop();
  heartbeats_.fall_silent();
  std::atomic<std::size_t> left{shards_.size()};
  for (auto& shard : shards_) {
    shard->drain([&left, this] {
      if (--left == 0) signals_.interrupt();
    });
  }
  const std::uint32_t limit_seconds = generation_->config().graceful_shutdown_seconds;
  const Instant deadline =
      limit_seconds == 0 ? never
                         : std::chrono::steady_clock::now() + std::chrono::seconds(limit_seconds);
  while (left != 0) {
    const Instant now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      log_.say(LogLevel::notice, "core", "GracefulShutdownTimeout has passed, ending the rest");
      break;
    }
    const auto order =
        signals_.next(deadline == never ? std::nullopt : std::optional<Duration>(deadline - now));
    if (order == Order::stop) break;
    if (order == Order::mourn) say_that_the_keeper_is_gone();
  }
  // The shards' callbacks refer to `left`.
  stop_shards();
}

void Server::stop_shards() {
  for (auto& shard : shards_) shard->stop();
  if (cluster_ != nullptr) cluster_->stop();
  control_.stop();  // it may be about to answer one of them
  logins_.stop();   // they, too
  notaries_.stop();
  shards_.clear();
  traces_.stop();  // it has what they handed over
  staples_.stop();
  heartbeats_.stop();
}

void Server::leave() {
  close_control_socket();
  names_.stop();
  health_.stop();
  stop_shards();
  writer_.stop();
  give_back_pid_file();
}

}  // namespace steelyard::server
