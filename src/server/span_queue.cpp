#include "server/span_queue.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::server {

bool SpanQueue::add(std::string_view json, std::size_t spans) {
  const std::lock_guard hold(lock_);
  if (spans_ + spans > spans_max || bytes_ + json.size() > bytes_max) {
    counts_.queue_full += spans;
    return false;
  }
  if (batches_.empty() || batches_.back().spans >= batch_spans) batches_.emplace_back();
  SpanBatch& batch = batches_.back();
  if (batch.spans != 0) batch.json += ',';
  batch.json += json;
  batch.spans += spans;
  spans_ += spans;
  bytes_ += json.size();
  return batch.spans >= batch_spans;
}

std::optional<SpanBatch> SpanQueue::take(Partial partial) {
  const std::lock_guard hold(lock_);
  if (batches_.empty()) return std::nullopt;
  if (partial == Partial::leave && batches_.front().spans < batch_spans) return std::nullopt;
  SpanBatch batch = std::move(batches_.front());
  batches_.pop_front();
  spans_ -= batch.spans;
  bytes_ = batches_.empty() ? 0 : bytes_ - std::min(bytes_, batch.json.size());
  return batch;
}

std::size_t SpanQueue::spans() const {
  const std::lock_guard hold(lock_);
  return spans_;
}

}  // namespace steelyard::server
