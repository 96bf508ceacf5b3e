#include "proxy/access_record.hpp"

#include <variant>

namespace steelyard::proxy {

namespace {

// httpd: a condition that cannot be evaluated keeps the line out.
bool is_wanted(Exchange& x, Shard::Core& core, const expr::LineCondition& condition) {
  expr::Evaluation evaluation{x, x.arena};
  const bool holds = condition.holds(evaluation).value_or(false);
  core.heed(x, "log_config", "an access log", {.fault = evaluation.fault});
  return holds;
}

}  // namespace

void record_access(Exchange& x, Shard::Core& core) {
  x.recording = true;
  for (const config::AccessLog& log : x.server->access_logs) {
    if (log.condition && !is_wanted(x, core, *log.condition)) continue;
    core.log_line.clear();
    std::visit([&](const auto& format) { format.write(x, core.log_line); }, log.format);
    core.parts.log.access(log.target, core.log_line);
  }
}

}  // namespace steelyard::proxy
