#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/seldom.hpp"
#include "http/date.hpp"
#include "proxy/backend_pool.hpp"
#include "proxy/deflater.hpp"
#include "proxy/shard.hpp"
#include "proxy/workspace.hpp"
#include "rewrite/map.hpp"
#include "trace/id_source.hpp"

// What the stages of an exchange share on one shard: loop, dialer, pools, spare buffers, caches,
// logs. Threads: the shard's.

namespace steelyard::proxy {

class ClientConnection;
class LineWait;

class Shard::Core final : public RoomMaker {
 public:
  Core(const ShardParts& parts, std::shared_ptr<const Generation> generation);
  ~Core() override;
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  ShardParts parts;
  std::shared_ptr<const Generation> generation;
  std::uint64_t adoptions = 0;  // how often `generation` changed
  // The cache of the exchange's generation. One of an older generation gets a fresh one: its
  // servers must not be remembered beyond their life.
  config::SettingsCache& settings_for(const Exchange& exchange);
  trace::IdSource ids;
  http::DateText date;
  rewrite::MapTexts map_texts;      // files of RewriteMaps
  Deflaters deflaters;              // of answers that are compressed
  std::string log_line;             // scratch
  std::string page;                 // scratch
  std::uint64_t kept_in_files = 0;  // bytes of request bodies

  Instant now() const { return parts.loop.now(); }
  io::TimerWheel& timers() const { return parts.loop.timers(); }

  enum class Memory : std::uint8_t { spare, fresh };
  std::unique_ptr<Workspace> borrow_workspace(Memory memory = Memory::spare);
  void give_back(std::unique_ptr<Workspace> workspace);

  // `is_current`: `spec` is that of the generation which new exchanges use; its limit holds.
  std::shared_ptr<BackendPool> pool_of(balance::Member& member, const balance::MemberSpec& spec,
                                       bool is_current);
  // Of the exchange's virtual host, on this shard.
  ServerCells& cells_of(const Exchange& exchange);
  ShardCells& cells() { return door_->cells; }
  // Another shard waits for a slot of the member: one idle connection to it is closed.
  void make_room(const balance::Member* member) override;
  void drop_pools_of_retired() override;
  // A member that stays may have got another limit.
  void forget_limits();
  // What is known of the servers of one generation alone.
  void forget_servers() {
    settings_ = config::SettingsCache();
    server_cells_.clear();
  }

  void add(std::unique_ptr<ClientConnection> connection);
  void remove(ClientConnection& connection);
  // The connection's coroutine is at its end; it is removed when the turn is over.
  void retire(ClientConnection& connection) { retired_.push_back(&connection); }
  void end_turn();
  void stop();
  void drain(std::function<void()> drained);

  std::unordered_set<LineWait*> in_line;  // exchanges that wait for a member (queue=)
  bool draining = false;
  std::vector<std::unique_ptr<ClientConnection>> connections;

  // Logs a line about an exchange if its settings want the level.
  bool wants(const Exchange& exchange, config::LogLevel level, std::string_view module) const;
  void log(const Exchange& exchange, config::LogLevel level, std::string_view module,
           std::string_view text);
  // The same for what a client can bring about with every request; asks wants() itself.
  void log_seldom(Exchange& exchange, Seldom& seldom, config::LogLevel level,
                  std::string_view module, std::string_view text);
  // Makes the text only when it is told.
  void log_seldom(Exchange& exchange, Seldom& seldom, config::LogLevel level,
                  std::string_view module, const std::function<std::string()>& text);
  // The expression's text; a fault is logged, seldom.
  std::string_view text_of(Exchange& exchange, const expr::StringExpression& expression,
                           Seldom& seldom, std::string_view module, std::string_view where);
  Seldom malformed_heartbeats, doubtful_heartbeats, crowded_heartbeats;
  Seldom failed_keys, failed_documents, full_lines, failed_maps, failed_realms, crowded_logins;
  // What evaluating expressions left to be told: logs a fault, keeps the names of request fields.
  void heed(Exchange& exchange, std::string_view module, std::string_view where,
            const expr::Remarks& remarks);

 private:
  // How long those that have not asked yet may take while the shard drains.
  class Patience final : public io::Timer {
   public:
    explicit Patience(Core& core) : core_(core) {}

   private:
    void expired() override { core_.close_idle(Idle::all); }
    Core& core_;
  };
  enum class Idle : std::uint8_t { kept_alive, all };
  void count_busy(std::uint32_t change);
  void close_idle(Idle which);
  void tell_if_drained();

  std::function<void()> drained_;
  Patience patience_{*this};
  std::vector<ClientConnection*> retired_;
  config::SettingsCache settings_, passing_settings_;
  std::vector<std::shared_ptr<ServerCells>> server_cells_;  // by Server::index of `generation`
  std::shared_ptr<ServerCells> passing_cells_;              // of an older one's
  std::shared_ptr<ShardGroup::Door> door_;
  std::vector<std::unique_ptr<Workspace>> spare_;
  std::unordered_map<const balance::Member*, std::shared_ptr<BackendPool>> pools_;
};

}  // namespace steelyard::proxy
