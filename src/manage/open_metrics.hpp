// OpenMetrics 1.0.0, which prometheus-cpp 1.0 does not write. Threads: pure.
#pragma once

#include <prometheus/serializer.h>

#include <iosfwd>
#include <vector>

namespace steelyard::manage {

// Counters, gauges and histograms; counters are named with their _total.
class OpenMetricsSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

}  // namespace steelyard::manage
