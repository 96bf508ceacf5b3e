#include "manage/metrics_page.hpp"

#include <prometheus/text_serializer.h>

#include "manage/gzip.hpp"
#include "manage/metrics_collector.hpp"
#include "manage/open_metrics.hpp"

namespace steelyard::manage {

namespace {

constexpr std::string_view open_metrics_type =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view text_type = "text/plain; version=0.0.4; charset=utf-8";

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
                                    cluster_ ? cluster_() : std::nullopt,
                                    refused_ ? refused_() : RefusedChanges()});
  proxy::DeskAnswer answer{.status = 200};
  // Scrapers name it only if they can read it.
  if (accepts(question, "Accept", "application/openmetrics-text")) {
    answer.content_type = open_metrics_type;
    answer.body = OpenMetricsSerializer().Serialize(collector.Collect());
  } else {
    answer.content_type = text_type;
    answer.body = prometheus::TextSerializer().Serialize(collector.Collect());
  }
  answer.fields = {{"Cache-Control", "no-store"},
                   {"Vary", "Accept, Accept-Encoding"},
                   {"X-Content-Type-Options", "nosniff"}};
  if (accepts(question, "Accept-Encoding", "gzip")) {
    answer.body = gzipped(answer.body);
    answer.fields.emplace_back("Content-Encoding", "gzip");
  }
  return answer;
}

}  // namespace steelyard::manage
