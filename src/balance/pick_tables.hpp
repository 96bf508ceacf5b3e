// What random and keyed policies look things up in: worked out from the configuration alone, before
// a choice is made and outside the balancer's lock.
//
// A table holds every member of its lbset, also those that cannot be picked now; a pick passes over
// them. So no change of status makes a table stale, and a key keeps its member while others fail.
//
// Threads: immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balance/hash_ring.hpp"
#include "balance/maglev_table.hpp"
#include "balance/spec.hpp"
#include "balance/weight_table.hpp"

namespace steelyard::balance {

struct SetTables {
  int lbset = 0;
  WeightTable weights;
  HashRing ring;
  MaglevTable maglev;
};

class PickTables {
 public:
  // Null for policies that look nothing up. Positions are those of the roster that adopts `spec`.
  static std::shared_ptr<const PickTables> build(const BalancerSpec& spec);
  // Whether the tables of `spec` are those of `other`.
  static bool same(const BalancerSpec& spec, const BalancerSpec& other);

  // A member with this lbset exists.
  [[nodiscard]] const SetTables& of_set(int lbset) const;
  // The hash of the member's name, by position.
  [[nodiscard]] std::uint64_t identity(Position at) const { return identities_[at]; }

 private:
  std::vector<SetTables> sets_;
  std::vector<std::uint64_t> identities_;
};

// What a configuration means with the names' answers so far, and the tables for it.
struct PreparedSpec {
  std::shared_ptr<const BalancerSpec> spec;
  std::shared_ptr<const PickTables> tables;
};

}  // namespace steelyard::balance
