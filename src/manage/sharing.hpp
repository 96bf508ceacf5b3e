// Who shares operators' changes with other instances, as the book of changes sees it.
//
// Threads: the control thread's.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "balance/edits.hpp"
#include "journal/record.hpp"
#include "manage/cluster_view.hpp"

namespace steelyard::manage {

// Hears of every change that an operator orders here, before it is kept: it is to be shared with
// other instances.
class Sharing {
 public:
  enum class Proposal : std::uint8_t { made, withdrawn };

  virtual ~Sharing() = default;
  // The proposal's name, for decide(), or why the change cannot be made.
  virtual std::expected<std::string, std::string> propose(
      const journal::BalancerKey& balancer, const std::vector<balance::Change>& changes,
      const balance::Overlay& after, const journal::Author& author, WallTime now) = 0;
  virtual void decide(const std::string& proposal, Proposal is) = 0;
  [[nodiscard]] virtual ClusterView view() const = 0;
};

}  // namespace steelyard::manage
