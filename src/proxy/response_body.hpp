#pragma once

#include <cstdint>
#include <string_view>

#include "http/chunked.hpp"
#include "http/framing.hpp"
#include "io/stream.hpp"
#include "proxy/read_buffer.hpp"

// The body of a backend's answer, decoded piece by piece.
//
// Threads: the shard's.

namespace steelyard::proxy {

class ResponseBody {
 public:
  struct Sources {
    io::Stream& backend;
    ReadBuffer& head;   // what came behind the head; consumed first
    ReadBuffer& extra;  // further bytes
    http::FieldList& trailers;
    Arena& arena;
  };
  ResponseBody(const Sources& sources, http::BodyFraming framing);

  enum class Progress : std::uint8_t { data, blocked, finished, cut_short };
  Progress pull();
  std::string_view pending() const { return pending_; }
  void take(std::size_t bytes);

  bool finished() const { return end_ && pending_.empty(); }
  bool pending_is_last() const { return end_; }
  // Nothing is buffered and so many bytes are to come: they may be spliced and reported here.
  std::uint64_t splice_ahead() const;
  void spliced(std::uint64_t bytes);
  // Bytes behind the body's end: the peer said more than it was asked.
  bool has_surplus() const { return !sources_.head.empty() || !sources_.extra.empty(); }
  std::uint64_t received() const { return received_; }
  bool is_until_close() const { return framing_.kind == http::BodyFraming::Kind::until_close; }

 private:
  Progress decode(ReadBuffer& buffer);
  Progress read_backend();

  Sources sources_;
  http::BodyFraming framing_;
  http::ChunkedReader chunks_;
  std::uint64_t left_;
  std::uint64_t received_ = 0;
  std::string_view pending_;
  ReadBuffer* pending_buffer_ = nullptr;
  bool end_ = false;
};

}  // namespace steelyard::proxy
