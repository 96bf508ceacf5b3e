#pragma once

#include <list>
#include <memory>
#include <string>
#include <thread>

#include "io/linux/epoll_loop.hpp"
#include "io/linux/listener.hpp"
#include "manage/control_connection.hpp"
#include "server/descriptor.hpp"
#include "server/shard_log.hpp"

// The thread of the control socket, with a loop of its own: whatever somebody does there, and
// however long a list of members is, no shard waits for it. It also looks after drains, which only
// somebody at the socket can have ordered.
//
// Threads: the public functions are the main thread's.

namespace steelyard::server {

class ControlThread {
 public:
  // Further ones get an error and are closed.
  static constexpr std::size_t connections_max = 32;

  ControlThread(LogWriter& writer, const LogRegistry& registry) : log_(writer, registry) {}
  ~ControlThread() { stop(); }
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // `socket` listens. Who may speak: root, and who the process is by now.
  void start(Descriptor socket, std::shared_ptr<const proxy::Generation> generation);
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  // Closes the socket and all connections.
  void stop();

 private:
  using Connections = std::list<manage::ControlConnection>;

  void run(Descriptor socket);
  void take_in(std::unique_ptr<io::Stream> stream);
  void log(config::LogLevel level, const std::string& text);

  io::EpollLoop loop_;
  std::thread thread_;

  // The thread's.
  ShardLog log_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::unique_ptr<manage::ControlDesk> desk_;
  Connections connections_;
};

}  // namespace steelyard::server
