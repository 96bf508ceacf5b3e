#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "io/linux/epoll_loop.hpp"
#include "io/linux/listener.hpp"
#include "io/linux/pipe_splicer.hpp"
#include "io/linux/socket_dialer.hpp"
#include "proxy/shard.hpp"
#include "server/listening_sockets.hpp"
#include "server/shard_log.hpp"
#include "server/system_files.hpp"

// One thread with everything that a shard needs: loop, dialer, log, listeners. The main thread
// steers it by jobs posted to its loop.
//
// Invariants: 1. what the loop serves is made and destroyed on the shard's own thread.
// Threads: the public functions are the main thread's; each returns at once, and calls `done` on
//          the shard's thread when it has taken effect.

namespace steelyard::server {

// What one shard is told at the start and at every reload.
struct ShardOrders {
  struct Opened {
    config::Listen listen;
    int socket;  // the shard takes it over
  };
  std::shared_ptr<const proxy::Generation> generation;
  std::vector<Opened> opened;
  std::vector<config::Listen> closed;
  // httpd's restart ends what is under way, its graceful restart does not.
  enum class Exchanges { finish, end } under_way = Exchanges::finish;
};

class ShardThread {
 public:
  using Done = std::function<void()>;

  ShardThread(std::size_t number, proxy::ShardGroup& group, LogWriter& writer,
              const LogRegistry& registry);
  ~ShardThread();
  ShardThread(const ShardThread&) = delete;
  ShardThread& operator=(const ShardThread&) = delete;

  void start();
  void obey(ShardOrders orders, Done done);
  // No new connections; `done` when the last exchange is over.
  void drain(Done done);
  // Ends everything and waits for the thread.
  void stop();

 private:
  struct OpenListener {
    config::Listen listen;
    std::unique_ptr<io::Listener> listener;
  };

  void run();
  void carry_out(ShardOrders& orders);
  void make_shard(const std::shared_ptr<const proxy::Generation>& generation);
  void open_listener(const ShardOrders::Opened& opened);
  void tell_of_pause(int error);
  void close_listener(OpenListener& open);
  void close_listeners();

  std::size_t number_;
  proxy::ShardGroup& group_;
  io::EpollLoop loop_;
  std::thread thread_;

  // The shard thread's.
  ShardLog log_;
  io::PipeSplicer splicer_;
  SystemFiles files_;
  std::unique_ptr<io::SocketDialer> dialer_;
  std::unique_ptr<proxy::Shard> shard_;
  std::vector<OpenListener> listeners_;
  config::LogTarget error_log_;  // the main server's
  Instant quiet_until_{};
  std::uint64_t random_state_ = 0;
};

}  // namespace steelyard::server
