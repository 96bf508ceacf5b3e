// SetHandler steelyard-metrics: what Prometheus and its like scrape.
//
//   Accept: application/openmetrics-text   OpenMetrics 1.0.0
//   else                                   the text format 0.0.4
//
// Threads: the desk's.
#pragma once

#include "manage/server_sources.hpp"

namespace steelyard::manage {

class MetricsPage {
 public:
  explicit MetricsPage(ServerSources sources) : sources_(std::move(sources)) {}

  [[nodiscard]] proxy::DeskAnswer answer(const proxy::DeskQuestion& question) const;

 private:
  [[nodiscard]] WallTime accepted(const proxy::Generation& generation,
                                  const ProcessUsage& usage) const;

  ServerSources sources_;
};

}  // namespace steelyard::manage
