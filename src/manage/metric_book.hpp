// Samples on their way to the page: each under its row of the table, which says what labels it has.
// Threads: one owner.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <map>
#include <string_view>
#include <vector>

#include "base/duration_histogram.hpp"

namespace steelyard::manage {

class MetricBook {
 public:
  MetricBook();

  // Values of the row's labels, in the table's order.
  using Values = std::initializer_list<std::string_view>;
  // A counter or a gauge. A name or a number of values that the table does not have is a CHECK.
  void add(std::string_view name, double value, Values values = {});
  void add(std::string_view name, const DurationHistogram& times, Values values);

  // In the table's order; rows without a sample are left out.
  std::vector<prometheus::MetricFamily> take();

 private:
  prometheus::ClientMetric& sample(std::string_view name, Values values);

  std::vector<prometheus::MetricFamily> families_;
  std::map<std::string_view, std::size_t> places_;
};

}  // namespace steelyard::manage
