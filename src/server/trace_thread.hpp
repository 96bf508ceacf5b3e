#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/seldom.hpp"
#include "proxy/generation.hpp"
#include "proxy/shard_group.hpp"
#include "server/collector_client.hpp"
#include "server/rate_limit.hpp"
#include "server/shard_log.hpp"
#include "server/span_queue.hpp"

// The thread that sends spans to a collector (SteelyardTraceExport). Shards put spans into a
// bounded queue and never wait; what the collector does, or that there is none, is this thread's
// business. The first generation that exports starts it.
//
//   shard ─ spans ─▶ queue ─ a batch: full, or a second old ─▶ POST ─┬─ taken
//                      │                                 ▲            ├─ again: wait, longer each
//                      time └─ no room: dropped               └────────────┘
//                                                                     └─ refused: dropped
//
// Invariants: 1. stop() returns within `last_patience`, whatever the collector does.
// Threads: SpanSink's functions are anybody's; the others are the main thread's and return at once,
//          but stop().

namespace steelyard::server {

class TraceThread final : public trace::SpanSink {
 public:
  static constexpr Duration batch_age_max = std::chrono::seconds(1);
  static constexpr Duration first_pause = std::chrono::milliseconds(500);
  static constexpr Duration longest_pause = std::chrono::seconds(30);
  static constexpr Duration last_patience = std::chrono::seconds(2);

  TraceThread(proxy::ShardGroup& group, LogWriter& writer, const LogRegistry& registry)
      : counts_(group.span_counts), queue_(counts_), log_(writer, registry) {}
  ~TraceThread() override { stop(); }
  TraceThread(const TraceThread&) = delete;
  TraceThread& operator=(const TraceThread&) = delete;

  void adopt(std::shared_ptr<const proxy::Generation> generation);
  // After the shards: what they handed over is sent, if the collector takes it in time.
  void stop();

  bool is_open() const override { return open_.load(std::memory_order_relaxed); }
  bool admits_caller(Instant now) override { return is_open() && callers_.admits(now); }
  void take(std::string_view json, std::size_t spans) override;

 private:
  void run();
  void renew_client();
  void send_what_is_due();
  void send_the_rest();
  // False: the server stops, and it was not delivered.
  bool deliver(const SpanBatch& batch);
  bool settle(const SpanBatch& batch, const CollectorAnswer& answer);
  void pause(Duration length);
  bool has_news();
  void tell_trouble(const CollectorAnswer& answer);
  void tell_refused(const CollectorAnswer& answer, std::uint64_t spans);
  void note_trouble();
  std::uint64_t dropped() const { return counts_.queue_full + counts_.refused; }
  void tell_recovery();
  void tell_dropped();
  void say(config::LogLevel level, std::string_view text);
  bool stopping() const { return give_up_at_.load() != never; }

  trace::ExportCounts& counts_;
  SpanQueue queue_;
  RateLimit callers_;
  std::atomic<bool> open_{false};
  std::atomic<Instant> give_up_at_{never};  // set when the server stops
  std::unique_ptr<CollectorLoop> loop_;     // from the start of the thread to its end
  std::thread thread_;

  std::mutex lock_;  // guards the next one
  std::shared_ptr<const proxy::Generation> wanted_;

  // The thread's.
  ShardLog log_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::optional<config::TraceExport> to_;
  std::unique_ptr<CollectorClient> client_;
  std::string front_;  // of every post
  Instant next_send_{};
  Instant troubled_since_ = never;
  std::uint64_t dropped_before_ = 0;  // the trouble
  bool is_trouble_told_ = false;      // that it is out of reach
  Seldom full_;
  std::map<long, Seldom> refused_;  // by status, since the trouble began
  std::uint64_t full_told_ = 0, refused_told_ = 0;
};

}  // namespace steelyard::server
