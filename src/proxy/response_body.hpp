#pragma once

#include <cstdint>
#include <string_view>

#include "base/on_demand.hpp"
#include "http/chunked.hpp"
#include "http/framing.hpp"
#include "io/stream.hpp"
#include "proxy/read_buffer.hpp"
#include "proxy/reply_body.hpp"

// The body of an answer over HTTP/1: with a length, in chunks, or until the connection's end.
//
// Threads: the shard's.

namespace steelyard::proxy {

class ResponseBody final : public ReplyBody {
 public:
  struct Sources {
    io::Stream& backend;
    ReadBuffer& head;   // what came behind the head; consumed first
    ReadBuffer& extra;  // further bytes
    OnDemand<http::FieldList>& trailers;
    Arena& arena;
  };
  // `least_bytes`: a body that ends with the connection, but sooner, was cut short.
  ResponseBody(const Sources& sources, http::BodyFraming framing, std::uint64_t least_bytes = 0);

  Progress pull() override;
  void take(std::size_t bytes) override;
  std::uint64_t splice_ahead() const override;
  void spliced(std::uint64_t bytes) override;
  // Bytes behind the body's end: the peer said more than it was asked.
  bool has_surplus() const { return !sources_.head.empty() || !sources_.extra.empty(); }
  bool is_until_close() const { return framing_.kind == http::BodyFraming::Kind::until_close; }

 private:
  Progress decode(ReadBuffer& buffer);
  Progress read_backend();

  Sources sources_;
  http::BodyFraming framing_;
  http::ChunkedReader chunks_;
  std::uint64_t left_, least_bytes_;
  ReadBuffer* pending_buffer_ = nullptr;
};

}  // namespace steelyard::proxy
