#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"

// Where finished spans go. The server's export thread is behind it; a shard only hands over.
//
// Threads: any.

namespace steelyard::trace {

class SpanSink {
 public:
  virtual ~SpanSink() = default;

  // Somebody exports. Else nobody need write spans.
  virtual bool is_open() const = 0;
  // Whether a request is recorded for no other reason than that its client says it is sampled: a
  // stranger must not decide what the export costs.
  virtual bool admits_caller(Instant now) = 0;
  // `spans` of them as OTLP has them in JSON, with commas between. Never waits for the collector;
  // what there is no room for is dropped and counted.
  virtual void take(std::string_view json, std::size_t spans) = 0;
};

// What became of spans. Threads: any.
struct ExportCounts {
  std::atomic<std::uint64_t> exported{0};
  std::atomic<std::uint64_t> queue_full{0};   // dropped: the collector did not keep up
  std::atomic<std::uint64_t> refused{0};      // dropped: the collector did not want them
  std::atomic<std::uint64_t> undelivered{0};  // dropped: the server stopped before they were taken
};

}  // namespace steelyard::trace
