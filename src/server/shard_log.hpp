#pragma once

#include <string>
#include <vector>

#include "proxy/log_sink.hpp"
#include "server/log_registry.hpp"

// A shard's end of the logs: lines are collected in a batch, which goes to the log thread at the
// end of the turn.
//
// Threads: the shard's.

namespace steelyard::server {

class ShardLog final : public proxy::LogSink {
 public:
  // A turn that collects more than this hands over in between.
  static constexpr std::size_t batch_bytes_max = std::size_t{256} << 10;

  ShardLog(LogWriter& writer, const LogRegistry& registry) : writer_(writer), registry_(registry) {}
  ~ShardLog() override { turn_ended(); }

  void access(const config::LogTarget& target, std::string_view line) override;
  void error(const config::LogTarget& target, const proxy::ErrorLine& line) override;
  void turn_ended() override;
  // A target may have been closed and opened again under another number.
  void generation_changed() { known_.clear(); }

 private:
  LogOutputId id_of(const config::LogTarget& target);

  struct Known {
    config::LogTarget target;
    LogOutputId id;
  };

  LogWriter& writer_;
  const LogRegistry& registry_;
  LogBatch batch_;
  std::vector<Known> known_;  // a shard writes to few logs; those used often move to the front
  int tid_ = 0;
};

}  // namespace steelyard::server
