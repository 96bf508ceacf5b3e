// A member while the program runs: an identity, its counters, and who still uses it.
//
// The object outlives configurations. It is owned by its balancer, by leases and by whoever else
// holds a MemberRef (a connection pool, an event); the last one to let go frees it. Nothing here
// decides anything: status bits are changed by the balancer under its lock and only mirrored here.
//
// Invariants
//   1. busy() is the number of live leases.
//   2. `spec()` of a lease stays valid until that lease ends, whatever is reloaded meanwhile.
//
// Threads: every accessor may be called from any thread; mutators are the balancer's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/addresses.hpp"
#include "balance/census.hpp"
#include "balance/counter_block.hpp"
#include "balance/drain.hpp"
#include "balance/ejection.hpp"
#include "balance/health_log.hpp"
#include "balance/latency_window.hpp"
#include "balance/spec.hpp"
#include "balance/status.hpp"

namespace steelyard::balance {

class Member {
 public:
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // "host:port", as log lines name it.
  [[nodiscard]] const std::string& address() const { return address_; }
  // As a URL or a Host field names it: without the port that the scheme has anyway.
  [[nodiscard]] const std::string& authority() const { return authority_; }
  [[nodiscard]] Status status() const { return Status(status_.load(std::memory_order_relaxed)); }
  [[nodiscard]] bool usable() const { return status().usable(); }
  // Errors or retries happened since the last successful connect.
  [[nodiscard]] bool blemished() const { return blemished_.load(std::memory_order_relaxed); }
  // In error, but one request is on its way to it (trials.hpp).
  [[nodiscard]] bool on_trial() const { return trial_.load() != 0; }  // see end_trial()
  [[nodiscard]] bool retired() const { return retired_.load(std::memory_order_acquire); }
  [[nodiscard]] int busy() const { return live_leases(*busy_); }
  [[nodiscard]] std::uint64_t elected() const { return elected_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t transferred_bytes() const {
    return traffic_->transferred_bytes.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t read_bytes() const {
    return traffic_->read_bytes.load(std::memory_order_relaxed);
  }

  // What happened to its health, with a lock of its own.
  [[nodiscard]] HealthLog& health_log() { return health_log_; }
  // How long the member takes to begin an answer; leasttime compares it.
  void observe_latency(Duration took, Instant now) { latency_->observe(took, now); }
  [[nodiscard]] std::optional<float> expected_latency(Instant now) const {
    return latency_->expected(now);
  }

  // Of the current window; null unless ejectslow= was ever written.
  [[nodiscard]] LatencyWindow* latency_window() const {
    return latency_window_.load(std::memory_order_acquire);
  }

  // What its name leads to, once somebody looked; nothing for members without a watched name.
  [[nodiscard]] const KnownAddresses& addresses() const { return addresses_; }

  // Accounts bytes handed to or delivered from the backend; bytraffic compares these sums.
  void add_transferred(std::int64_t bytes) {
    traffic_->transferred_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  void add_read(std::int64_t bytes) {
    traffic_->read_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  friend class Balancer;
  friend class Drains;
  friend class Roster;
  friend class MemberRef;
  friend class Lease;

  Member(const MemberSpec& spec, std::shared_ptr<CounterBlock> block, std::size_t cell,
         std::shared_ptr<Commons> commons);
  ~Member();

  // A retired member's cell carries this on top, so that the lease that ends last knows that it is.
  static constexpr int retired_mark = 1 << 30;
  static int live_leases(const std::atomic<int>& cell) {
    return cell.load() & ~retired_mark;  // see WaitingLine::anyone_waits()
  }

  void measure_windows();
  // Of the lease that holds it; that of a trial which is over changes nothing. Ordered like the
  // ends of leases: see WaitingLine::anyone_waits().
  void end_trial(std::uint32_t trial) { trial_.compare_exchange_strong(trial, 0); }

  void hold() { holds_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  void adopt(const MemberSpec& spec);
  void retire();
  void begin_lease(InTotal counted) {
    if (counted == InTotal::yes) commons_->live_leases.fetch_add(1, std::memory_order_relaxed);
    busy_->fetch_add(1, std::memory_order_relaxed);
  }
  void end_lease(InTotal counted) {
    if (counted == InTotal::yes) commons_->live_leases.fetch_sub(1, std::memory_order_relaxed);
    if (busy_->fetch_sub(1) == retired_mark + 1) release();
  }

  const std::string name_, address_, authority_;
  std::atomic<std::uint16_t> status_ = 0;
  std::atomic<bool> retired_ = false;
  std::atomic<std::uint32_t> holds_ = 1;  // the first is that of all leases together
  std::atomic<int>* busy_;
  Traffic* traffic_;
  Latency* latency_;
  std::atomic<std::uint64_t> elected_ = 0, retries_ = 0;
  std::atomic<bool> blemished_ = false;                   // an error time or a retry is on record
  std::atomic<std::uint32_t> trial_ = 0;                  // its number; 0: none is under way
  std::atomic<LatencyWindow*> latency_window_ = nullptr;  // owned, as long as the member lives

  HealthLog health_log_;
  KnownAddresses addresses_;

  // Guarded by the balancer's lock.
  std::uint32_t position_ = 0;
  CheckCounts check_counts_;
  Census census_;
  std::optional<Drain> drain_;
  EjectionRecord ejection_;
  std::shared_ptr<const MemberSpec> spec_;  // with views (member_view.hpp)
  // Still seen by older leases; all different.
  std::vector<std::shared_ptr<const MemberSpec>> past_specs_;
  const std::shared_ptr<CounterBlock> block_;
  const std::shared_ptr<Commons> commons_;
};

}  // namespace steelyard::balance
