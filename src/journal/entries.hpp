// An overlay as rows of a table, and back. A row is what is different about one field of one
// member; the rows of two overlays differ where the overlays do, and nowhere else.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "balance/overlay.hpp"

namespace steelyard::journal {

struct Entry {
  std::string member;      // empty: the balancer's own
  std::string field;       // "member": that the member was changed at all, with its Membership
  std::int64_t place = 0;  // what comes first in the overlay has the smaller one
  std::string configured, value;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// Rows that `before` has as well keep their places as far as the order allows.
std::vector<Entry> entries_of(const balance::Overlay& overlay, const std::vector<Entry>& before);

// In any order.
balance::Overlay overlay_of(std::vector<Entry> entries);

}  // namespace steelyard::journal
