// How many of the operators' changes were refused, by what stood in the way.
//
// A value; where it is counted says which thread.
#pragma once

#include <cstdint>

#include "balance/edits.hpp"

namespace steelyard::manage {

struct RefusedChanges {
  std::uint64_t invalid = 0;       // what it says: a value, a name, one member too many
  std::uint64_t precondition = 0;  // of the API: it is not as who asked knew it
  std::uint64_t undo = 0;          // there is nothing to take back, or it was changed since
  std::uint64_t not_kept = 0;      // not in the journal, or not for the cluster

  void count(const balance::ChangeFault& fault) {
    ++(fault.kind == balance::ChangeFault::Kind::refused ? not_kept : invalid);
  }
};

}  // namespace steelyard::manage
