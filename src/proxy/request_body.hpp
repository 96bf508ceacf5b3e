#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/on_demand.hpp"
#include "http/chunked.hpp"
#include "http/framing.hpp"
#include "io/spill_file.hpp"
#include "io/stream.hpp"
#include "proxy/failure.hpp"
#include "proxy/read_buffer.hpp"

// The body that a client sends, decoded, with what another attempt may need of it.
//
//   client ──▶ [ live bytes ] ──▶ reader ──▶ backend
//                    └──▶ kept (memory, then a file) ──▶ reader again, after rewind()
//
// Invariants: 1. bytes are delivered in order and once, unless rewind() starts them over.
//             2. rewind() is possible exactly while every byte delivered so far is kept.
// Threads: the shard's.

namespace steelyard::proxy {

class RequestBody {
 public:
  struct Sources {
    io::Stream& client;
    ReadBuffer& head;   // what came with the head; consumed first
    ReadBuffer& extra;  // further bytes from the client
    std::string& kept;
    OnDemand<http::FieldList>& trailers;
    Arena& arena;
  };
  struct Limits {
    std::size_t kept_memory_bytes = 0;
    std::uint64_t kept_file_bytes = 0;
    std::uint64_t* kept_in_files = nullptr;  // by all bodies of the shard
  };
  using OpenSpillFile = std::function<std::unique_ptr<io::SpillFile>()>;

  RequestBody(const Sources& sources, http::BodyFraming framing, const Limits& limits,
              const OpenSpillFile& open_spill_file);
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  ~RequestBody();

  enum class Progress : std::uint8_t { data, blocked, finished, failed };
  // Makes pending() non-empty when it can without waiting.
  Progress pull();
  // Reads live bytes into the kept ones without delivering them. data: `wanted` bytes are there.
  Progress fetch(std::uint64_t wanted);
  std::string_view pending() const { return pending_; }
  void take(std::size_t bytes);

  // Everything the client sends was received, and nothing of it lies in the connection's buffers
  // any more, where it would be taken for the next request.
  bool received_all() const {
    return live_end_ && (pending_.empty() || pending_buffer_ == nullptr);
  }
  // Everything was delivered.
  bool delivered_all() const { return live_end_ && offset_ == received_ && pending_.empty(); }
  // pending() is the last piece.
  bool pending_is_last() const { return live_end_ && offset_ + pending_.size() == received_; }
  std::uint64_t received() const { return received_; }
  bool announced() const { return framing_.kind != http::BodyFraming::Kind::none; }
  http::BodyFraming framing() const { return framing_; }
  const Failure& failure() const { return failure_; }

  bool can_rewind() const { return keeping_ || offset_ == 0; }
  void rewind();
  // What is delivered from now on is not needed again.
  void stop_keeping();
  // Bytes on the wire that were read from the client for this body.
  std::uint64_t wire_bytes() const { return wire_bytes_; }

 private:
  Progress pull_live();
  Progress pull_kept();
  Progress read_client(std::size_t room_max);
  Progress decode(ReadBuffer& buffer);
  Progress fail(Cause cause, Party party, std::string detail = {});
  bool keep(std::string_view bytes);
  std::uint64_t kept_bytes() const { return kept_memory_ + kept_file_; }

  Sources sources_;
  http::BodyFraming framing_;
  Limits limits_;
  const OpenSpillFile& open_spill_file_;
  http::ChunkedReader chunks_;
  std::uint64_t left_ = 0;      // of a body with a length: bytes not received
  std::uint64_t received_ = 0;  // decoded bytes received
  std::uint64_t offset_ = 0;    // decoded bytes delivered
  std::uint64_t wire_bytes_ = 0;
  std::string_view pending_;
  ReadBuffer* pending_buffer_ = nullptr;  // whose bytes pending_ shows; nullptr: kept bytes
  bool live_end_ = false;
  bool keeping_ = true;
  std::uint64_t kept_memory_ = 0, kept_file_ = 0;
  std::unique_ptr<io::SpillFile> file_;
  std::string file_window_;  // bytes read back from the file
  Failure failure_;
};

}  // namespace steelyard::proxy
