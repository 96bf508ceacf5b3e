#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/path_settings.hpp"

// Log lines that one shard hands over at once: their bytes back to back, and which target gets how
// many of them.

namespace steelyard::server {

using LogOutputId = std::uint32_t;

struct LogBatch {
  struct Piece {
    LogOutputId output;
    config::LogLevel level;  // only the system's log looks at it
    std::uint32_t bytes;
  };

  std::string bytes;
  std::vector<Piece> pieces;

  // A line with its newline, or several of the same level.
  void add(LogOutputId output, config::LogLevel level, std::string_view lines) {
    bytes += lines;
    note_added(output, level, lines.size());
  }
  // For lines that were appended to `bytes` directly.
  void note_added(LogOutputId output, config::LogLevel level, std::size_t count) {
    const bool continues =
        !pieces.empty() && pieces.back().output == output && pieces.back().level == level;
    if (continues) {
      pieces.back().bytes += static_cast<std::uint32_t>(count);
    } else {
      pieces.push_back({output, level, static_cast<std::uint32_t>(count)});
    }
  }
  bool empty() const { return pieces.empty(); }
  void clear() {
    bytes.clear();
    pieces.clear();
  }
};

}  // namespace steelyard::server
