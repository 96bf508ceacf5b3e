// What is counted about exchanges and attempts, for metrics and the status page.
//
//   virtual host, member ──▶ Tally [ shard 0: Cells | shard 1: Cells | ... ]
//                                     written by that shard alone; who reads adds them up
//
// A virtual host's tally belongs to its identity and a member's to the member: both survive
// reloads. What balance/ knows anyway (elected, busy, bytes, health) is not counted again here.
//
// Threads: a shard writes its own cells; sums are anybody's. A tally's lock is taken when a shard
// comes to it first, and for sums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/decision.hpp"
#include "base/counter.hpp"
#include "base/duration_histogram.hpp"
#include "proxy/failure.hpp"

namespace steelyard::proxy {

// Why a request could be sent again, to the same member or another, without running twice.
enum class ResendProof : std::uint8_t {
  not_sent,       // no byte of it had gone out
  body_withheld,  // only its head had: the member never asked for the body (ping=)
  idempotent,     // its method is, and no byte of an answer had come back
};
inline constexpr std::size_t resend_proof_count = 3;
std::string_view to_text(ResendProof proof);
// Of an attempt that failed and was followed by another.
ResendProof proof_of(const Failure& failure);

// By the hundreds of the status; 0: none was given.
inline constexpr std::size_t status_class_count = 6;
std::size_t status_class(int status);

struct FailureCounts {
  std::array<std::array<Counter, cause_count>, party_count> counts;
  void count(Party party, Cause cause) {
    counts[static_cast<std::size_t>(party)][static_cast<std::size_t>(cause)].add();
  }
  std::uint64_t of(Party party, Cause cause) const {
    return counts[static_cast<std::size_t>(party)][static_cast<std::size_t>(cause)].value();
  }
};

// Of the exchanges of a virtual host that are over.
struct alignas(64) ServerCells {
  std::array<Counter, status_class_count> responses;
  Counter received_bytes, sent_bytes;  // on the client's side, heads included
  DurationHistogram duration;          // from a request's first byte to its answer's last
  FailureCounts failures;              // that ended an exchange

  void add(const ServerCells& other);
};

// Of the attempts at a member that are over.
struct alignas(64) MemberCells {
  std::array<Counter, balance::reason_count> picks;
  std::array<Counter, status_class_count> responses;  // the member's own
  DurationHistogram connect;                          // until a new connection stood
  DurationHistogram first_byte;  // from a request's last byte to its answer's head
  DurationHistogram total;       // from the pick to the end of an answer that came whole
  Counter reuses;                // of connections from the pool
  Gauge open, idle;              // connections; the open ones include those that are idle
  std::array<Counter, resend_proof_count> resends;
  FailureCounts failures;

  void add(const MemberCells& other);
};

// Of a shard's clients; the process's sum outlives every virtual host.
struct alignas(64) ShardCells {
  Counter accepted;              // connections
  Counter exchanges;             // that are over
  Counter body_sent_bytes;       // httpd's count of traffic: without heads
  Counter exchange_nanoseconds;  // together

  void add(const ShardCells& other);
};

template <class Cells>
class Tally {
 public:
  // The shard's own, zero at first. `shard`: an address that it keeps from one restart to the next.
  std::shared_ptr<Cells> of(const void* shard) {
    const std::lock_guard hold(lock_);
    for (const auto& [owner, cells] : cells_) {
      if (owner == shard) return cells;
    }
    return cells_.emplace_back(shard, std::make_shared<Cells>()).second;
  }
  void add_to(Cells& sum) const {
    const std::lock_guard hold(lock_);
    for (const auto& [owner, cells] : cells_) sum.add(*cells);
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::pair<const void*, std::shared_ptr<Cells>>> cells_;
};
using ServerTally = Tally<ServerCells>;
using MemberTally = Tally<MemberCells>;

// The tallies of members that got a request.
class MemberTallies {
 public:
  // The member's; made when it is asked for first.
  std::shared_ptr<MemberTally> of(const balance::MemberRef& member);
  // Adds what there is of the member.
  void add_to(MemberCells& sum, const balance::Member& member) const;
  // Those of members that are gone; pools may still hold them.
  void forget_retired();

 private:
  struct Kept {
    balance::MemberRef member;  // so that nobody else has its address
    std::shared_ptr<MemberTally> tally;
  };
  mutable std::mutex lock_;
  std::map<const balance::Member*, Kept> kept_;
};

}  // namespace steelyard::proxy
