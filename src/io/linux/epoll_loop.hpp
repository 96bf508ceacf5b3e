#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "io/linux/outbox.hpp"
#include "io/loop.hpp"

// The real loop: epoll, edge-triggered, every descriptor registered once for both directions.

struct epoll_event;

namespace steelyard::io {

class EpollLoop;

// Something with a file descriptor that the loop tells about events. Owns the descriptor.
class WatchedDescriptor {
 public:
  WatchedDescriptor(EpollLoop& loop, int fd) : loop_(&loop), fd_(fd) {}
  WatchedDescriptor(const WatchedDescriptor&) = delete;
  WatchedDescriptor& operator=(const WatchedDescriptor&) = delete;
  virtual ~WatchedDescriptor();

  int fd() const { return fd_; }

 protected:
  friend class EpollLoop;
  // epoll's event bits.
  virtual void on_events(std::uint32_t events) = 0;

  EpollLoop* loop_;
  int fd_;
};

class EpollLoop final : public Loop {
 public:
  EpollLoop();
  ~EpollLoop() override;

  // Turns until stop() is called from any thread.
  void run();
  void stop();
  // One turn: waits at most until `until`.
  void turn(Instant until);

  void post(Job job) override;
  void defer(Job job) override { deferred_.push_back(std::move(job)); }

  // Registers a descriptor for both directions, edge-triggered. False: the system refused (errno).
  bool watch(WatchedDescriptor& descriptor);
  // Level-triggered, for descriptors of libraries that expect it; `events` are epoll's bits.
  bool watch_level(WatchedDescriptor& descriptor, std::uint32_t events, bool already);
  // Must be called before the descriptor dies; its events of this turn are dropped.
  void forget(WatchedDescriptor& descriptor);
  Outbox& outbox() { return outbox_; }

 private:
  class WakeUp;
  void read_clocks();
  void run_jobs(std::vector<Job>& jobs);
  void run_posted();

  int epoll_fd_ = -1;
  std::unique_ptr<WakeUp> wake_up_;
  std::atomic<bool> stopped_{false};
  std::vector<Job> deferred_, running_;
  Outbox outbox_;

  std::mutex posted_lock_;  // guards posted_
  std::vector<Job> posted_;

  // The events of the current turn that were not handed out yet.
  ::epoll_event* pending_ = nullptr;
  int pending_count_ = 0;
};

}  // namespace steelyard::io
