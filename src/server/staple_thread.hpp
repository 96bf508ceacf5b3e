#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "proxy/generation.hpp"
#include "server/shard_log.hpp"
#include "tls/staple.hpp"

// The thread that asks authorities whether our certificates are still good (SSLUseStapling), one at
// a time, before the answer that is shown grows old. The first generation that staples starts it.
//
// Invariants: 1. a generation begins with the answers of the one before it.
//             2. stop() waits for no authority longer than `last_patience`.
// Threads: adopt() and stop() are the main thread's.

namespace steelyard::server {

struct CurlLibrary;  // curl_library.hpp

class StapleThread {
 public:
  static constexpr Duration last_patience = std::chrono::seconds(1);

  StapleThread(LogWriter& writer, const LogRegistry& registry) : log_(writer, registry) {}
  ~StapleThread() { stop(); }
  StapleThread(const StapleThread&) = delete;
  StapleThread& operator=(const StapleThread&) = delete;

  // Before shards shake hands by it.
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  void stop();

 private:
  struct Errand {
    std::shared_ptr<tls::Staple> staple;
    Instant due;
    bool failed = false;
  };

  void run();
  void renew_errands();
  Instant next_due() const;
  void ask(Errand& errand);
  void share(const Errand& errand);
  void say(config::LogLevel level, std::string_view text);

  const CurlLibrary* curl_ = nullptr;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  std::mutex lock_;  // guards the next one; changed_ tells of it and of stopping_
  std::shared_ptr<const proxy::Generation> wanted_;
  std::condition_variable changed_;

  // The main thread's: those that the last generation has.
  std::unordered_map<std::string, std::shared_ptr<tls::Staple>> known_;

  // The thread's.
  ShardLog log_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::vector<Errand> errands_;
};

}  // namespace steelyard::server
