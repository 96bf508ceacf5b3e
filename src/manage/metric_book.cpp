#include "manage/metric_book.hpp"

#include "base/check.hpp"
#include "base/text.hpp"
#include "manage/metric_table.hpp"

namespace steelyard::manage {

namespace {

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

// How many bytes the character at the beginning takes; 0: it is none (RFC 3629).
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return 0;
  const unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t at = 2; at < bytes; ++at) {
    if ((byte(at) & 0xc0U) != 0x80U) return 0;
  }
  return bytes;
}

// Names of a configuration may hold any bytes, and Prometheus refuses a whole page for one that is
// no character.
std::string readable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    out += bytes == 0 ? std::string_view("?") : text.substr(0, bytes);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

MetricBook::MetricBook() {
  for (const MetricRow& row : metric_table()) {
    places_.emplace(row.name, families_.size());
    families_.push_back({std::string(row.name), std::string(row.help), type_of(row.kind), {}});
  }
}

prometheus::ClientMetric& MetricBook::sample(std::string_view name, Values values) {
  const auto place = places_.find(name);
  CHECK(place != places_.end());
  const std::vector<std::string_view> labels = split_words(metric_table()[place->second].labels);
  CHECK(labels.size() == values.size());
  prometheus::ClientMetric& added = families_[place->second].metric.emplace_back();
  std::size_t i = 0;
  for (const std::string_view value : values)
    added.label.push_back({std::string(labels[i++]), readable(value)});
  return added;
}

void MetricBook::add(std::string_view name, double value, Values values) {
  prometheus::ClientMetric& added = sample(name, values);
  added.counter.value = value;
  added.gauge.value = value;
}

void MetricBook::add(std::string_view name, const DurationHistogram& times, Values values) {
  auto& added = sample(name, values).histogram;
  added.sample_sum = seconds_of(times.sum());
  for (std::size_t place = 0; place <= DurationHistogram::bound_count; ++place) {
    added.sample_count += times.count(place);
    const bool has_end = place < DurationHistogram::bound_count;
    added.bucket.push_back({added.sample_count, has_end
                                                    ? seconds_of(DurationHistogram::bound(place))
                                                    : std::numeric_limits<double>::infinity()});
  }
}

std::vector<prometheus::MetricFamily> MetricBook::take() {
  std::vector<prometheus::MetricFamily> all = std::move(families_);
  std::erase_if(all, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return all;
}

}  // namespace steelyard::manage
