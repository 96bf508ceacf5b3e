#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "health/prober.hpp"
#include "io/linux/epoll_loop.hpp"
#include "io/linux/socket_dialer.hpp"
#include "server/shard_log.hpp"

// The thread of health checks, with a loop and a dialer of its own: what a member or its name
// server does to a check never holds up a shard. It is started by the first generation that checks
// anybody, or by the first operator who wants that.
//
// Threads: the public functions may be called from any; each returns at once but stop().

namespace steelyard::server {

class HealthThread {
 public:
  HealthThread(LogWriter& writer, const LogRegistry& registry) : log_(writer, registry) {}
  ~HealthThread() { stop(); }
  HealthThread(const HealthThread&) = delete;
  HealthThread& operator=(const HealthThread&) = delete;

  // Also once more, after members changed; one that is older than what it has tells nothing.
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  // Members came or went by what their names lead to.
  void members_changed();
  // Ends all checks, without waiting for their answers, and the thread; for good.
  void stop();

 private:
  void run();

  io::EpollLoop loop_;
  std::mutex lock_;  // guards the two
  std::thread thread_;
  bool has_ended_ = false;
  std::atomic<bool> running_{false};

  // The thread's.
  ShardLog log_;
  std::unique_ptr<io::SocketDialer> dialer_;
  std::unique_ptr<health::Prober> prober_;
  std::shared_ptr<const proxy::Generation> generation_;
};

}  // namespace steelyard::server
