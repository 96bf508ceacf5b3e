#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/seldom.hpp"
#include "io/linux/datagrams.hpp"
#include "io/linux/epoll_loop.hpp"
#include "io/linux/file_watch.hpp"
#include "proxy/generation.hpp"
#include "proxy/shard_group.hpp"
#include "server/heartbeat_storage.hpp"
#include "server/shard_log.hpp"

// The thread of heartbeats: hears datagrams, keeps the storage file, sends heartbeats of its own.
// It runs from the first configuration that has any of these, so that no shard waits for a disk.
//
// Threads: the public functions are the main thread's and return when they have taken effect.

namespace steelyard::server {

class HeartbeatThread {
 public:
  HeartbeatThread(proxy::ShardGroup& group, LogWriter& writer, const LogRegistry& registry);
  ~HeartbeatThread();
  HeartbeatThread(const HeartbeatThread&) = delete;
  HeartbeatThread& operator=(const HeartbeatThread&) = delete;

  void obey(const std::shared_ptr<const proxy::Generation>& generation);
  // This server takes no new clients: nobody shall be told that it is idle.
  void fall_silent();
  void stop();

 private:
  class Beat final : public io::Timer {
   public:
    explicit Beat(HeartbeatThread& thread) : thread_(thread) {}

   private:
    void expired() override { thread_.tick(); }
    HeartbeatThread& thread_;
  };
  void run();
  void post_and_wait(const std::function<void()>& job);
  void adopt(const std::shared_ptr<const proxy::Generation>& generation);

  void tick();
  void send();
  void open_receiver();
  void hear(const Endpoint& from, std::string_view bytes);
  void read_storage();
  void write_storage();
  void keep_posted(heartbeat::Server server);  // any thread
  void store_posted();

  // For a trouble that may come with every datagram; each has a Seldom of its own.
  void complain(Seldom& seldom, config::LogLevel level, const std::string& text);
  void say(config::LogLevel level, const std::string& text);

  proxy::ShardGroup& group_;
  io::EpollLoop loop_;
  std::thread thread_;

  // The thread's own.
  ShardLog log_;
  config::HeartbeatSettings settings_;
  config::LogTarget error_log_;
  config::LogLevel level_ = config::LogLevel::warn;
  std::unique_ptr<io::DatagramReceiver> receiver_;
  std::unique_ptr<HeartbeatStorage> storage_;  // null: choices are made by slots
  std::unique_ptr<io::FileWatch> watch_;
  std::uint64_t ticks_ = 0;
  bool silent_ = false;
  Seldom malformed_, doubtful_, crowded_, unsent_, unopened_, unwritten_, unadded_;
  Beat beat_{*this};

  std::mutex posted_lock_;                           // guards posted_
  std::map<std::string, heartbeat::Server> posted_;  // by address
};

}  // namespace steelyard::server
