#include "balance/weight_table.hpp"

#include <limits>

namespace steelyard::balance {

namespace {

struct Share {
  std::size_t column;
  double height;  // 1 fills a column
};

}  // namespace

WeightTable::WeightTable(std::span<const Weighted> all) {
  double sum = 0;
  for (const Weighted& one : all) sum += static_cast<double>(one.weight);
  std::vector<Share> low;
  std::vector<Share> high;
  for (std::size_t i = 0; i < all.size(); ++i) {
    columns_.push_back({.keep = std::numeric_limits<std::uint32_t>::max(),
                        .own = all[i].position,
                        .other = all[i].position});
    const double height =
        static_cast<double>(all[i].weight) * static_cast<double>(all.size()) / sum;
    (height < 1 ? low : high).push_back({i, height});
  }
  // Each low column is filled up by a high one, which thereby may become low.
  while (!low.empty() && !high.empty()) {
    const Share lacking = low.back();
    low.pop_back();
    Share& lending = high.back();
    constexpr double whole = 4294967296.0;
    columns_[lacking.column].keep = static_cast<std::uint32_t>(lacking.height * whole);
    columns_[lacking.column].other = columns_[lending.column].own;
    lending.height -= 1 - lacking.height;
    if (lending.height >= 1) continue;
    low.push_back(lending);
    high.pop_back();
  }
}

}  // namespace steelyard::balance
