#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "io/linux/epoll_loop.hpp"
#include "io/linux/listener.hpp"
#include "manage/api.hpp"
#include "manage/balancer_manager.hpp"
#include "manage/chronicle.hpp"
#include "manage/control_connection.hpp"
#include "manage/health_news.hpp"
#include "manage/live_page.hpp"
#include "manage/shared_changes.hpp"
#include "proxy/desk.hpp"
#include "server/descriptor.hpp"
#include "server/page_thread.hpp"
#include "server/shard_log.hpp"

// The thread that operators speak to, by the control socket and by the pages about the server
// (balancer-manager, ...), with a loop of its own: whatever somebody does there, and however long a
// list of members is, no shard waits for it. Changes are made here and nowhere else. It also looks
// after drains, wherever they were ordered.
//
// Threads: ask() is called on shards; the other public functions are the main thread's.

namespace steelyard::server {

class ControlThread final : public proxy::Desk {
 public:
  // Members came, or something about them changed. Called on the control thread.
  using MembersChanged = std::function<void(std::shared_ptr<const proxy::Generation>)>;

  // Further ones get an error and are closed.
  static constexpr std::size_t connections_max = 32;
  // Of operators' changes that are remembered where no journal is wanted.
  static constexpr std::int64_t changes_max = 1000;

  ControlThread(proxy::ShardGroup& group, LogWriter& writer, const LogRegistry& registry,
                MembersChanged members_changed)
      : group_(group),
        pages_(group, [this](const auto& question, const auto& why) { regret(question, why); }),
        members_changed_(std::move(members_changed)),
        log_(writer, registry) {}
  ~ControlThread() override { stop(); }
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Before start(), if changes are kept at all: what the journal has counts again.
  void bring_back(manage::ChangesBook::Wanted journal,
                  std::shared_ptr<const proxy::Generation> generation);
  // While it runs: a journal that could not be opened at the start.
  void bring_back_late(journal::Journal journal);
  // While it runs, if it is one that can only be read, or whose file is no longer in its place.
  void open_journal_again(std::string folder);
  struct Cluster {  // manage::SharedChanges::Parts
    std::function<void(const cluster::Order&, std::uint64_t epoch)> send;
    std::function<std::expected<void, std::string>(const std::string&)> keep;
    std::optional<cluster::Kept> kept;
    std::string store;
    std::vector<std::string> addresses;
    std::string user;
    cluster::Instance self;
  };
  // Before start(), after bring_back(): changes are shared.
  void join(Cluster cluster, std::shared_ptr<const proxy::Generation> generation);
  // From any thread: what the store says.
  void hear(std::vector<cluster::News::Any> news);
  // `socket` listens, or is closed: then there are the pages only. Who may speak at the socket:
  // root, and who the process is by now.
  void start(Descriptor socket, std::shared_ptr<const proxy::Generation> generation);
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  // In the place of a socket whose file is gone. Who is connected stays so.
  void listen_anew(Descriptor socket);
  // And all its connections, what pages have without an end, and the journal, for a successor.
  // Returns when nobody listens any more; pages are still answered, but change nothing.
  void close_socket();
  // Nothing is answered from now on. Before the loops of those who asked are gone.
  void stop();

  void ask(proxy::DeskQuestion question, Reply reply) override;

 private:
  using Connections = std::list<manage::ControlConnection>;

  void run(Descriptor socket);
  void take(const std::shared_ptr<const proxy::Generation>& generation);
  void end_feeds();
  void listen(Descriptor socket);
  proxy::DeskAnswer answer(const proxy::DeskQuestion& question);
  proxy::DeskAnswer answer_whatever_happens(const proxy::DeskQuestion& question);
  // On any thread: there is no answer.
  void regret(const proxy::DeskQuestion& question, const std::string& why);
  void end_turn();
  void take_in(std::unique_ptr<io::Stream> stream);
  void log(config::LogLevel level, const std::string& text);
  void log_changes(const manage::BalancerManager::ChangeNote& note);
  void log_for(const config::Server& server, config::LogLevel level, const std::string& text);

  [[nodiscard]] bool knows_condition(std::string_view scope, std::string_view name) const;
  void make_book(manage::ChangesBook::Wanted journal);
  void make_pages();

  proxy::ShardGroup& group_;
  io::EpollLoop loop_;
  PageThread pages_;  // that only read
  std::thread thread_;
  const MembersChanged members_changed_;

  // The thread's.
  ShardLog log_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::unique_ptr<manage::ChangesBook> book_;
  std::unique_ptr<manage::SharedChanges> shared_;  // none: there is no cluster
  std::unique_ptr<manage::Chronicle> chronicle_;
  std::unique_ptr<manage::HealthNews> health_news_;
  std::unique_ptr<manage::ControlDesk> desk_;
  std::unique_ptr<manage::BalancerManager> manager_;
  std::unique_ptr<manage::Api> api_;
  std::unique_ptr<manage::LivePage> live_page_;
  std::optional<io::Listener> listener_;
  bool ends_feeds_ = false;  // each at once
  Connections connections_;
};

}  // namespace steelyard::server
