#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/ip.hpp"
#include "io/dialer.hpp"
#include "io/loop.hpp"
#include "io/spill_file.hpp"
#include "io/splice.hpp"
#include "proxy/exchange.hpp"
#include "proxy/generation.hpp"
#include "proxy/log_sink.hpp"
#include "proxy/shard_group.hpp"
#include "trace/id_source.hpp"

// One thread's share of the data path: its client connections, its pools of backend connections,
// its buffers. Shards share nothing but the balancers' state and the connection limits of members.
//
// Invariants: 1. a connection lives and dies on its shard.
//             2. an exchange keeps the generation it began with.
// Threads: the loop's thread, except where said.

namespace steelyard::proxy {

struct ShardParts {
  ShardGroup& group;
  io::Loop& loop;
  io::Dialer& dialer;
  io::Splicer& splicer;
  LogSink& log;
  ProcessFacts process;
  std::function<std::uint64_t()> random;  // for log ids; any quality
  // A file without a name for large request bodies; nullptr: none can be had (disk, directory).
  std::function<std::unique_ptr<io::SpillFile>()> open_spill_file;
  trace::IdSource::Seed id_seed{};  // of traces: from the system's random bytes
};

class Shard {
 public:
  Shard(const ShardParts& parts, std::shared_ptr<const Generation> generation);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  // A new client.
  void accept(std::unique_ptr<io::Stream> stream, const Endpoint& peer);

  // New exchanges use this generation; idle client connections that waited for their first or next
  // request stay open and use it too. Pools of members that are gone are closed.
  void adopt(std::shared_ptr<const Generation> generation);

  // No connection is kept after its current exchange; kept-alive idle ones are closed now, those
  // that have not asked yet when RequestReadTimeout's first time is over. `drained` runs once when
  // the last one is gone (maybe at once).
  void drain(std::function<void()> drained);
  // Ends every connection and exchange now.
  void stop();

  std::size_t connection_count() const;

  class Core;  // what the connections see; shard.cpp

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace steelyard::proxy
