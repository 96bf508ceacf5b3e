#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "trace/span_sink.hpp"

// Spans between the shards and the thread that exports them: batches of JSON, bounded. What there
// is no room for is dropped and counted, so that a collector that is slow or gone costs memory that
// is known and nothing else.
//
// Threads: any; a lock is held while a few kilobytes are copied.

namespace steelyard::server {

struct SpanBatch {
  std::string json;  // spans with commas between
  std::size_t spans = 0;
};

class SpanQueue {
 public:
  // A batch is closed when it has so many. Those of one exchange stay together.
  static constexpr std::size_t batch_spans = 512;
  static constexpr std::size_t spans_max = 16'384;
  static constexpr std::size_t bytes_max = std::size_t{32} << 20U;

  explicit SpanQueue(trace::ExportCounts& counts) : counts_(counts) {}

  // True when the exporter should hear of it: a batch has become full.
  bool add(std::string_view json, std::size_t spans);
  // The oldest batch. `partial`: also one that is not full.
  enum class Partial : bool { leave, take };
  std::optional<SpanBatch> take(Partial partial);
  std::size_t spans() const;

 private:
  trace::ExportCounts& counts_;
  mutable std::mutex lock_;
  std::deque<SpanBatch> batches_;  // the last one may grow
  std::size_t spans_ = 0, bytes_ = 0;
};

}  // namespace steelyard::server
