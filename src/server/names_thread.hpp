#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "io/linux/ares_resolver.hpp"
#include "io/linux/epoll_loop.hpp"
#include "names/watcher.hpp"
#include "server/shard_log.hpp"

// The thread that looks after names (names/), with a loop and a resolver of its own: a slow hosts
// file or a name server that keeps silent never holds up a shard. It is started by the first
// generation with a name in it, or by the first operator who adds one.
//
// Threads: adopt() is the main thread's, the rest anybody's.

namespace steelyard::server {

class NamesThread final : public proxy::NameWatch {
 public:
  // Called on the names' thread.
  using MembersChanged = std::function<void()>;

  NamesThread(LogWriter& writer, const LogRegistry& registry, MembersChanged members_changed)
      : members_changed_(std::move(members_changed)), log_(writer, registry) {}
  ~NamesThread() override { stop(); }
  NamesThread(const NamesThread&) = delete;
  NamesThread& operator=(const NamesThread&) = delete;

  // Where members are what names lead to, waits for the first answers, but not for long.
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  // Operators added or changed members of this generation.
  void members_changed(std::shared_ptr<const proxy::Generation> generation);
  void look_again(balance::MemberRef member) override;
  // Without waiting for answers; for good.
  void stop();

 private:
  bool tell(std::shared_ptr<const proxy::Generation> generation);
  void run();
  void wait_for_members();

  io::EpollLoop loop_;
  std::mutex lock_;  // guards the two
  std::thread thread_;
  bool has_ended_ = false;
  std::atomic<bool> running_{false};
  const MembersChanged members_changed_;

  // The thread's.
  ShardLog log_;
  std::unique_ptr<io::AresResolver> resolver_;
  std::unique_ptr<names::Watcher> watcher_;
  std::uint64_t generation_number_ = 0;
};

}  // namespace steelyard::server
