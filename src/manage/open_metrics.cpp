#include "manage/open_metrics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ostream>
#include <string>

namespace steelyard::manage {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view total = "_total";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

// A counter's family has the name of its samples without _total.
std::string_view family_name(const MetricFamily& family) {
  std::string_view name = family.name;
  if (family.type == MetricType::Counter && name.ends_with(total)) name.remove_suffix(total.size());
  return name;
}

// {a="b",le="1"}
std::string labels_text(const ClientMetric& metric, std::string_view bound = {}) {
  std::string out;
  for (const auto& [name, value] : metric.label)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value));
  if (!bound.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", bound);
  return out.empty() ? out : '{' + out + '}';
}

void write_histogram(std::ostream& out, std::string_view name, const ClientMetric& metric) {
  for (const auto& bucket : metric.histogram.bucket) {
    out << name << "_bucket" << labels_text(metric, number(bucket.upper_bound)) << ' '
        << bucket.cumulative_count << '\n';
  }
  const std::string labels = labels_text(metric);
  out << name << "_count" << labels << ' ' << metric.histogram.sample_count << '\n'
      << name << "_sum" << labels << ' ' << number(metric.histogram.sample_sum) << '\n';
}

void write_family(std::ostream& out, const MetricFamily& family) {
  const std::string_view name = family_name(family);
  const bool counts = family.type == MetricType::Counter;
  const bool measures = family.type == MetricType::Histogram;
  out << "# TYPE " << name << (counts ? " counter\n" : measures ? " histogram\n" : " gauge\n");
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.ends_with(fmt::format("_{}", unit))) out << "# UNIT " << name << ' ' << unit << '\n';
  }
  out << "# HELP " << name << ' ' << escaped(family.help) << '\n';
  for (const ClientMetric& metric : family.metric) {
    if (measures) {
      write_histogram(out, name, metric);
    } else {
      out << family.name << labels_text(metric) << ' '
          << number(counts ? metric.counter.value : metric.gauge.value) << '\n';
    }
  }
}

}  // namespace

void OpenMetricsSerializer::Serialize(std::ostream& out,
                                      const std::vector<MetricFamily>& families) const {
  for (const MetricFamily& family : families) write_family(out, family);
  out << "# EOF\n";
}

}  // namespace steelyard::manage
