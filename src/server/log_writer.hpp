#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/log_batch.hpp"
#include "server/log_output.hpp"

// Writes all logs on a thread of its own. Shards hand whole batches over; the main thread installs,
// replaces and removes outputs in the same queue, so a line handed over before a replacement still
// goes to the old file.
//
//   shard ─ batch ─▶ ┐
//   shard ─ batch ─▶ ├ queue (one short lock) ─▶ log thread ─▶ files, programs, the system's log
//   main ─ install ─▶┘
//
// The thread sleeps until the first batch arrives, then looks again every `linger` while there is
// work: a busy server pays one wake-up per linger, an idle one has its lines written at once.
//
// Invariants: 1. stop() returns when everything handed over is written, or can not be written
//                within `last_patience`.
// Threads: as said at each function.

namespace steelyard::server {

class LogWriter {
 public:
  static constexpr std::size_t queued_bytes_max = std::size_t{64} << 20;
  static constexpr Duration linger = std::chrono::milliseconds(2);
  static constexpr Duration last_patience = std::chrono::seconds(5);

  LogWriter();
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void start();
  void stop();

  // Main thread. Replaces the output with the same id, if there is one.
  void install(LogOutputId id, std::unique_ptr<LogOutput> output);
  // Main thread, or whichever lets the last exchange of an old generation go.
  void remove(LogOutputId id);

  // Any thread. The batch comes back empty, with room; lines beyond queued_bytes_max are dropped
  // and counted.
  void hand_over(LogBatch& batch);

  // Where the writer's own notices go: the main server's error log.
  void tell_notices_to(LogOutputId id) { notices_to_.store(id, std::memory_order_relaxed); }

  std::uint64_t lines_dropped() const { return lines_dropped_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    LogBatch batch = {};
    LogOutputId id = 0;
    std::unique_ptr<LogOutput> installed = nullptr;
    enum class Kind : std::uint8_t { lines, install, remove } kind = Kind::lines;
  };

  void enqueue(Item item);
  void wake();
  void run();
  bool take_queue(std::vector<Item>& items);
  void carry_out(Item& item);
  void spread(const LogBatch& batch);
  bool flush_all(Instant now);
  std::string own_notice(Instant now);
  void tell_last_notices();
  void tell(std::string_view notice);
  void sleep(bool had_work);
  void drain();

  std::mutex lock_;  // guards queue_, spare_, queued_bytes_, stopping_
  std::vector<Item> queue_;
  std::vector<LogBatch> spare_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;

  std::atomic<bool> asleep_{false};
  std::atomic<LogOutputId> notices_to_{0};
  std::atomic<std::uint64_t> lines_dropped_{0};
  Descriptor wake_up_;
  std::thread thread_;

  // The log thread's.
  std::unordered_map<LogOutputId, std::unique_ptr<LogOutput>> outputs_;
  std::uint64_t lines_dropped_told_ = 0;
  Instant next_own_notice_{};
};

}  // namespace steelyard::server
