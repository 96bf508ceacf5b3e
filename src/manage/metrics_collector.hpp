// Everything that is counted, at one moment, as families of metrics.
//
// Threads: one at a time; it takes each balancer's lock for as long as a list of its members needs.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "manage/cluster_view.hpp"
#include "manage/naming.hpp"
#include "manage/process_usage.hpp"
#include "manage/refused_changes.hpp"
#include "proxy/generation.hpp"
#include "proxy/shard_group.hpp"

namespace steelyard::manage {

class MetricBook;

class MetricsCollector final : public prometheus::Collectable {
 public:
  struct Sources {
    proxy::ShardGroup& group;
    const proxy::Generation& generation;
    ProcessUsage usage;
    WallTime generation_since;
    std::optional<ClusterView> cluster{};  // none: there is none
    RefusedChanges refused{};
  };
  explicit MetricsCollector(Sources sources) : sources_(std::move(sources)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void collect_process(MetricBook& book) const;
  void collect_clients(MetricBook& book) const;
  void collect_servers(MetricBook& book) const;
  void collect_spans(MetricBook& book) const;
  void collect_members(MetricBook& book, const NamedBalancer& balancer) const;
  void collect_size(MetricBook& book, const NamedBalancer& balancer) const;
  void collect_attempts(MetricBook& book, const NamedBalancer& balancer,
                        const balance::MemberView& view) const;

  Sources sources_;
};

}  // namespace steelyard::manage
