#include "proxy/access_record.hpp"

namespace steelyard::proxy {

void record_access(Exchange& x, Shard::Core& core) {
  x.recording = true;
  for (const config::AccessLog& log : x.server->access_logs) {
    if (log.condition && !log.condition->holds(x)) continue;
    core.log_line.clear();
    log.format.write(x, core.log_line);
    core.parts.log.access(log.target, core.log_line);
  }
}

}  // namespace steelyard::proxy
