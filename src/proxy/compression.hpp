#pragma once

#include <array>
#include <memory>

#include "proxy/core.hpp"
#include "proxy/deflater.hpp"
#include "proxy/reply_body.hpp"

// Answers of members that pass through the filter DEFLATE (mod_deflate): which ones, what their
// heads say, and their bodies.
//
// Threads: the shard's.

namespace steelyard::proxy {

// Before Header rules, as in httpd. Notes in x.normal what a compressed answer says, and that it
// varies where only the client's wish is missing. Null: the body passes as it is. `beginning`: the
// first piece of the body was pulled.
std::unique_ptr<Deflater> begin_compression(Exchange& x, Shard::Core& core,
                                            const ReplyBody& beginning);

// The body, compressed. What came of it is passed on when no more is there, as httpd does: nobody
// waits for an answer that is made slowly.
class CompressedBody final : public ReplyBody {
 public:
  // All outlive the body. The exchange gets the notes of DeflateFilterNote at the end.
  CompressedBody(Exchange& x, Shard::Core& core, ReplyBody& plain,
                 std::unique_ptr<Deflater> deflater);
  ~CompressedBody() override;

  Progress pull() override;
  void take(std::size_t bytes) override { pending_.remove_prefix(bytes); }
  bool received_whole() const override { return plain_.finished(); }
  // As far as it is known: what is here is all, or there is no telling.
  http::BodyFraming framing() const;

 private:
  Progress feed();
  void flush();
  void run(std::string_view input, Deflater::Until until);
  void note_sizes();

  Exchange& x_;
  Shard::Core& core_;
  ReplyBody& plain_;
  std::unique_ptr<Deflater> deflater_;
  bool owes_flush_ = false;         // bytes that came lie in the compressor
  std::size_t in_this_turn_ = 0;    // bytes
  std::uint64_t in_ = 0, out_ = 0;  // bytes
  std::size_t filled_ = 0;          // of room_, beyond what is pending
  std::array<char, 16 * 1024> room_;
};

}  // namespace steelyard::proxy
