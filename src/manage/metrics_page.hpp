// SetHandler steelyard-metrics: what Prometheus and its like scrape.
//
//   Accept: application/openmetrics-text   OpenMetrics 1.0.0
//   else                                   the text format 0.0.4
//   Accept-Encoding: gzip                  either of them compressed
//
// Threads: one at a time.
#pragma once

#include <functional>
#include <optional>

#include "manage/cluster_view.hpp"
#include "manage/refused_changes.hpp"
#include "manage/server_sources.hpp"

namespace steelyard::manage {

class MetricsPage {
 public:
  // None: there is no cluster.
  using Cluster = std::function<std::optional<ClusterView>()>;

  using Refused = std::function<RefusedChanges()>;

  explicit MetricsPage(ServerSources sources, Cluster cluster = nullptr, Refused refused = nullptr)
      : sources_(std::move(sources)), cluster_(std::move(cluster)), refused_(std::move(refused)) {}

  [[nodiscard]] proxy::DeskAnswer answer(const proxy::DeskQuestion& question) const;

 private:
  [[nodiscard]] WallTime accepted(const proxy::Generation& generation,
                                  const ProcessUsage& usage) const;

  ServerSources sources_;
  Cluster cluster_;
  Refused refused_;
};

}  // namespace steelyard::manage
