#include "proxy/shard.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "proxy/client/http1_connection.hpp"
#include "proxy/client/http2_session.hpp"
#include "proxy/core.hpp"
#include "proxy/limits.hpp"
#include "proxy/line_wait.hpp"

namespace steelyard::proxy {

Shard::Core::Core(const ShardParts& given, std::shared_ptr<const Generation> first)
    : parts(given),
      generation(std::move(first)),
      ids(given.id_seed),
      door_(given.group.enter(given.loop, *this)) {
  parts.process.busy_connections = [&group = parts.group] { return group.busy_connections(); };
  parts.loop.at_turn_end([this] { end_turn(); });
}

Shard::Core::~Core() {
  stop();
  parts.loop.at_turn_end(nullptr);
  parts.group.leave(door_);
}

// Single writer: no need for an atomic addition.
void Shard::Core::count_busy(std::uint32_t change) {
  auto& busy = door_->busy_connections;
  busy.store(busy.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

std::unique_ptr<Workspace> Shard::Core::borrow_workspace(Memory memory) {
  count_busy(1);
  if (memory == Memory::fresh || spare_.empty()) return std::make_unique<Workspace>();
  auto workspace = std::move(spare_.back());
  spare_.pop_back();
  return workspace;
}

void Shard::Core::give_back(std::unique_ptr<Workspace> workspace) {
  count_busy(static_cast<std::uint32_t>(-1));
  workspace->exchange.reset();
  workspace->client_head.clear();
  workspace->client_body.clear();
  workspace->backend_head.clear();
  workspace->backend_body.clear();
  workspace->drop_large();
  // Of a request that might have become a tunnel: see ClientConnection::fit_head().
  if (workspace->client_head.capacity() < head_buffer_bytes) workspace->client_head.release();
  if (spare_.size() < spare_workspaces_max) spare_.push_back(std::move(workspace));
}

std::shared_ptr<BackendPool> Shard::Core::pool_of(balance::Member& member,
                                                  const balance::MemberSpec& spec,
                                                  bool is_current) {
  // An exchange that began before its member left keeps nothing for others.
  if (member.retired() && !pools_.contains(&member)) {
    auto last =
        std::make_shared<BackendPool>(balance::MemberRef(&member), std::make_shared<MemberCells>());
    last->retire();
    return last;
  }
  auto& pool = pools_[&member];
  if (!pool) {
    const balance::MemberRef held(&member);
    pool = std::make_shared<BackendPool>(held, parts.group.tallies.of(held)->of(&parts.loop));
  }
  // An exchange from before a reload does not bring the earlier limit back.
  if (!is_current) return pool;
  const int most = spec.pool.connections_max.value_or(0);
  if (most > 0 && !pool->gate)
    pool->gate = parts.group.gates.gate_of(member, static_cast<std::uint32_t>(most));
  if (most == 0 && pool->gate) pool->gate.reset();
  return pool;
}

ServerCells& Shard::Core::cells_of(const Exchange& exchange) {
  const config::Server& server = *exchange.server;
  const bool is_current = exchange.generation == generation;
  if (is_current && server_cells_.empty())
    server_cells_.resize(generation->config().servers.size());
  auto& cells = is_current ? server_cells_[server.index] : passing_cells_;
  if (!is_current || !cells) cells = exchange.generation->groups_of(server).tally->of(&parts.loop);
  return *cells;
}

config::SettingsCache& Shard::Core::settings_for(const Exchange& exchange) {
  if (exchange.generation == generation) return settings_;
  passing_settings_ = config::SettingsCache();
  return passing_settings_;
}

void Shard::Core::make_room(const balance::Member* member) {
  const auto found = pools_.find(member);
  if (found != pools_.end()) found->second->close_oldest();
}

void Shard::Core::drop_pools_of_retired() {
  parts.group.tallies.forget_retired();
  std::erase_if(pools_, [](const auto& entry) {
    if (!entry.second->member()->retired()) return false;
    entry.second->retire();
    return true;
  });
}

void Shard::Core::forget_limits() {
  for (auto& [member, pool] : pools_) pool->gate.reset();
}

void Shard::Core::add(std::unique_ptr<ClientConnection> connection) {
  connection->position = connections.size();
  ClientConnection& added = *connection;
  connections.push_back(std::move(connection));
  ++parts.group.client_connections;
  cells().accepted.add();
  added.start();
}

void Shard::Core::end_turn() {
  for (ClientConnection* connection : retired_) remove(*connection);
  retired_.clear();
  parts.log.turn_ended();
}

void Shard::Core::stop() {
  retired_.clear();
  parts.group.client_connections -= connections.size();
  connections.clear();
  door_->busy_connections.store(0, std::memory_order_relaxed);
}

void Shard::Core::remove(ClientConnection& connection) {
  const std::size_t position = connection.position;
  CHECK(position < connections.size() && connections[position].get() == &connection);
  std::swap(connections[position], connections.back());
  connections[position]->position = position;
  connections.pop_back();
  --parts.group.client_connections;
  tell_if_drained();
}

// Kept-alive connections may close at any time; a client that has just connected expects its first
// request to be answered (httpd: the same), and gets as long for it as it would for a head.
void Shard::Core::drain(std::function<void()> drained) {
  draining = true;
  drained_ = std::move(drained);
  for (const auto& connection : connections) connection->drain();
  close_idle(Idle::kept_alive);
  for (LineWait* const wait : in_line) wait->call();
  const config::ClientSettings& settings = generation->config().servers.front()->client;
  const Duration first = settings.read_header.first;
  patience_.arm(timers(), now() + (first.count() > 0 ? first : settings.timeout));
  tell_if_drained();
}

void Shard::Core::close_idle(Idle which) {
  for (std::size_t i = connections.size(); i-- > 0;) {
    ClientConnection& connection = *connections[i];
    // Who speaks HTTP/2 was told to go, and gets the time to hear it.
    const bool stays =
        which == Idle::kept_alive && (connection.fresh() || connection.speaks_http2());
    if (stays || !connection.idle()) continue;
    connection.say_goodbye();
    remove(connection);
  }
}

void Shard::Core::tell_if_drained() {
  if (draining && connections.empty() && drained_) std::exchange(drained_, nullptr)();
}

bool Shard::Core::wants(const Exchange& x, config::LogLevel level, std::string_view module) const {
  const config::LogLevels& levels =
      x.settings && x.settings->log_levels ? *x.settings->log_levels : x.server->log_levels;
  return level <= levels.of(module);
}

void Shard::Core::log(const Exchange& x, config::LogLevel level, std::string_view module,
                      std::string_view text) {
  ErrorLine line;
  line.level = level;
  line.module = module;
  line.client = &x.client_endpoint();
  line.text = text;
  if (const auto referer = x.request.fields.value(http::FieldId::referer)) line.referer = *referer;
  line.when = parts.loop.wall_now();
  x.take_log_id();
  parts.log.error(x.server->error_log, line);
}

void Shard::Core::log_seldom(Exchange& x, Seldom& seldom, config::LogLevel level,
                             std::string_view module, std::string_view text) {
  log_seldom(x, seldom, level, module, [text] { return std::string(text); });
}

void Shard::Core::log_seldom(Exchange& x, Seldom& seldom, config::LogLevel level,
                             std::string_view module, const std::function<std::string()>& text) {
  if (!wants(x, level, module)) return;
  const auto untold = seldom.ask(now());
  if (!untold) return;
  log(x, level, module,
      *untold == 0
          ? text()
          : x.arena.join(text(), " (", x.arena.decimal(*untold), " more like it were not told)"));
}

std::string_view Shard::Core::text_of(Exchange& x, const expr::StringExpression& expression,
                                      Seldom& seldom, std::string_view module,
                                      std::string_view where) {
  expr::Evaluation evaluation{x, x.arena};
  const std::string_view text = expression.evaluate(evaluation);
  if (!evaluation.fault.empty()) {
    log_seldom(
        x, seldom, config::LogLevel::error, module,
        x.arena.join("Failed to evaluate the expression of ", where, ": ", evaluation.fault));
  }
  return text;
}

void Shard::Core::heed(Exchange& x, std::string_view module, std::string_view where,
                       const expr::Remarks& remarks) {
  if (!remarks.vary.empty()) {
    x.asked_fields =
        x.asked_fields.empty() ? remarks.vary : x.arena.join(x.asked_fields, ", ", remarks.vary);
  }
  if (remarks.fault.empty() || !wants(x, config::LogLevel::error, module)) return;
  log(x, config::LogLevel::error, module,
      x.arena.join("Failed to evaluate the expression of ", where, ": ", remarks.fault));
}

Shard::Shard(const ShardParts& parts, std::shared_ptr<const Generation> generation)
    : core_(std::make_unique<Core>(parts, std::move(generation))) {}

Shard::~Shard() = default;

void Shard::accept(std::unique_ptr<io::Stream> stream, const Endpoint& peer) {
  core_->add(std::make_unique<ClientConnection>(*core_, std::move(stream), peer));
}

void Shard::adopt(std::shared_ptr<const Generation> generation) {
  core_->generation = std::move(generation);
  ++core_->adoptions;
  core_->forget_servers();
  core_->map_texts = {};
  core_->drop_pools_of_retired();
  core_->forget_limits();
}

void Shard::drain(std::function<void()> drained) { core_->drain(std::move(drained)); }

void Shard::stop() { core_->stop(); }

std::size_t Shard::connection_count() const { return core_->connections.size(); }

}  // namespace steelyard::proxy
