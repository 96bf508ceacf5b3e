#include "manage/metrics_page.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>

#include "base/text.hpp"
#include "manage/metrics_collector.hpp"
#include "manage/open_metrics.hpp"

namespace steelyard::manage {

namespace {

constexpr std::string_view open_metrics_type =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view text_type = "text/plain; version=0.0.4; charset=utf-8";

// Scrapers name it only if they can read it; whoever gives it no weight (q=0) does not want it.
bool wants_open_metrics(const proxy::DeskQuestion& question) {
  for (const auto& [name, value] : question.fields) {
    if (!equals_ignoring_case(name, "Accept")) continue;
    for (const std::string_view wish : split(value, ',')) {
      const std::vector<std::string_view> parts = split(wish, ';');
      if (!equals_ignoring_case(trim(parts.front()), "application/openmetrics-text")) continue;
      const bool is_refused =
          std::ranges::any_of(parts, [](std::string_view part) { return trim(part) == "q=0"; });
      if (!is_refused) return true;
    }
  }
  return false;
}

}  // namespace

// The process's start where it is not known when the generation came.
WallTime MetricsPage::accepted(const proxy::Generation& generation,
                               const ProcessUsage& usage) const {
  if (generation.since() == Instant::min()) return usage.started;
  const Duration ago = sources_.now() - generation.since();
  return sources_.wall_now() - std::chrono::duration_cast<WallTime::duration>(ago);
}

proxy::DeskAnswer MetricsPage::answer(const proxy::DeskQuestion& question) const {
  if (question.method != http::Method::get && question.method != http::Method::head)
    return refuse_method(question.method);
  ProcessUsage usage = sources_.usage();
  const WallTime since = accepted(*question.generation, usage);
  const MetricsCollector collector({sources_.group, *question.generation, std::move(usage), since,
                                    cluster_ ? cluster_() : std::nullopt});
  proxy::DeskAnswer answer{.status = 200};
  if (wants_open_metrics(question)) {
    answer.content_type = open_metrics_type;
    answer.body = OpenMetricsSerializer().Serialize(collector.Collect());
  } else {
    answer.content_type = text_type;
    answer.body = prometheus::TextSerializer().Serialize(collector.Collect());
  }
  answer.fields = {
      {"Cache-Control", "no-store"}, {"Vary", "Accept"}, {"X-Content-Type-Options", "nosniff"}};
  return answer;
}

}  // namespace steelyard::manage
