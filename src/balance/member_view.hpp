// What an operator sees of one member at one moment.
//
// Threads: a value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "balance/health.hpp"
#include "balance/health_log.hpp"
#include "balance/lease.hpp"
#include "balance/spec.hpp"
#include "balance/status.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

struct MemberView {
  MemberRef member;
  std::shared_ptr<const MemberSpec> spec;  // shared with the member; never null
  Status status;
  std::int64_t credit = 0;  // httpd's lbstatus
  int busy = 0;
  std::uint64_t elected = 0;
  std::uint64_t retries = 0;
  std::int64_t transferred_bytes = 0;
  std::int64_t read_bytes = 0;
  std::optional<Instant> error_time;
  std::optional<Instant> error_ends;  // of a member in error that has a time; inclusive
  int ejections = 0;                  // that followed each other closely
  bool on_trial = false;
  CheckHistory checks;
  CheckCounts check_counts;    // towards hcpasses and hcfails
  std::string name_fault;      // why its name leads nowhere
  std::optional<Drain> drain;  // the last order
};

}  // namespace steelyard::balance
