#include "server/standard_error.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace steelyard::server {

void StandardError::follow(const config::LogTarget& error_log, LogOpener& opener) const {
  if (!has_left_) return;
  Descriptor log;
  if (error_log.kind == config::LogTarget::Kind::file) {
    if (auto file = opener.open_file(error_log.text)) log = std::move(*file);
  }
  if (!log.is_open()) log = Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (log.is_open()) ::dup2(log.number(), STDERR_FILENO);
}

}  // namespace steelyard::server
