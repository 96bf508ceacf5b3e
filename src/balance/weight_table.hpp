// Draws a position with the chance of its weight in constant time (an alias table).
//
//   column     0          1          2           all equally likely
//   own        a          b          c
//   keep       1.0        0.6        0.2         below it the column's own, else
//   other      a          a          b           the one that lends it the rest
//
// Threads: immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/hashing.hpp"

namespace steelyard::balance {

using Position = std::uint32_t;

struct Weighted {
  Position position;
  std::int64_t weight;  // above 0
};

class WeightTable {
 public:
  WeightTable() = default;  // draws nobody
  explicit WeightTable(std::span<const Weighted> all);

  // Not empty. `random`: any 64 bits.
  [[nodiscard]] Position draw(std::uint64_t random) const {
    const Column& column = columns_[scaled(random, static_cast<std::uint32_t>(columns_.size()))];
    return static_cast<std::uint32_t>(random) < column.keep ? column.own : column.other;
  }

 private:
  struct Column {
    std::uint32_t keep;  // in units of 2^-32; a column that keeps all has `other` = `own`
    Position own;
    Position other;
  };
  std::vector<Column> columns_;
};

}  // namespace steelyard::balance
