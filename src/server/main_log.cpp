#include "server/main_log.hpp"

#include <unistd.h>

#include <cstdio>

#include "base/text.hpp"
#include "server/error_line.hpp"

namespace steelyard::server {

void MainLog::write_to(LogOutputId output, const config::LogLevels& levels) {
  output_ = output;
  levels_ = levels;
  writer_.tell_notices_to(output);
}

void MainLog::say(config::LogLevel level, std::string_view module, std::string_view text) {
  const bool shown = shown_ && level <= *shown_;
  const bool written =
      output_ != 0 && (level == config::LogLevel::notice || level <= levels_.of(module));
  if (!shown && !written) return;
  LogBatch batch;
  append_error_line(batch.bytes, ::gettid(),
                    {.level = level,
                     .module = module,
                     .text = text,
                     .referer = {},
                     .when = std::chrono::system_clock::now()});
  if (shown) std::fwrite(batch.bytes.data(), 1, batch.bytes.size(), stderr);
  if (!written) return;
  batch.note_added(output_, level, batch.bytes.size());
  writer_.hand_over(batch);
}

void MainLog::say_lines(config::LogLevel level, std::string_view module, std::string_view text) {
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) say(level, module, line);
  }
}

}  // namespace steelyard::server
