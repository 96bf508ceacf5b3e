// Every metric there is: the one place that names them. The page, docs/metrics.md and its test come
// from here. Threads: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace steelyard::manage {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

struct MetricRow {
  std::string_view name;
  MetricKind kind = MetricKind::gauge;
  std::string_view labels;  // their names, with blanks between
  std::string_view help;
};

std::span<const MetricRow> metric_table();

// docs/metrics.md.
std::string metrics_document();

}  // namespace steelyard::manage
