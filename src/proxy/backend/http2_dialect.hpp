#pragma once

#include "proxy/backend/dialect.hpp"
#include "proxy/backend/http2_lane.hpp"

// HTTP/2 with members, h2:// and h2c:// (RFC 9113; httpd's mod_proxy_http2). The stream that it
// talks through is a lane on a connection that other exchanges use at the same time.
//
// Threads: the shard's.

namespace steelyard::proxy {

// The body as it comes on a lane; then the trailers.
class Http2Answer final : public ReplyBody {
 public:
  Http2Answer(Http2Lane& lane, Exchange& x) : lane_(lane), x_(x) {}

  Progress pull() override;
  void take(std::size_t bytes) override;

 private:
  void take_trailers();

  Http2Lane& lane_;
  Exchange& x_;
  std::uint64_t taken_ = 0;
};

class Http2Dialect final : public Dialect {
 public:
  explicit Http2Dialect(const Matter& matter) : matter_(matter) {}

  bool streams_body() const override { return true; }
  bool passes_expect() const override { return true; }
  void begin() override;
  bool is_probing() const override { return probing_; }
  MessageWriter::Result send(io::Stream& member, std::string_view data, bool last) override;
  bool may_hear() const override { return asked_ || pinged_; }
  bool in_debt() const override { return false; }
  bool sent_all() const override { return sent_all_; }
  std::uint64_t take_transferred() override;
  // What the member did not look at counts as not sent.
  std::uint64_t bytes_sent() const override { return refused_ ? 0 : sent_; }

  std::optional<Failure> read_head(io::Stream& member) override;
  bool head_is_here() const override { return head_is_here_; }
  std::uint64_t bytes_heard() const override { return heard_; }
  bool may_refuse() const override { return true; }
  bool was_refused() const override { return refused_; }
  bool lacked_room() const override { return lacked_room_; }
  // httpd: 503 as for any other way in which no connection comes about.
  int status_without_address() const override { return 503; }
  void judge(Failure& failure) const override;
  ReplyBody& begin_answer(io::Stream& member) override;
  bool may_reuse() const override { return sent_all_; }

 private:
  std::optional<Failure> take_head(Http2Head& head);
  Failure broken(const Http2Lane& lane);

  const Matter matter_;
  http::FieldList head_;
  std::optional<Http2Answer> answer_;
  int interims_ = 0;
  std::uint64_t sent_ = 0, accounted_ = 0, heard_ = 0;
  bool probing_ = false, pinged_ = false, asked_ = false, sent_all_ = false;
  bool head_is_here_ = false, refused_ = false, lacked_room_ = false;
  bool member_has_answered_ = false;  // on this connection
};

}  // namespace steelyard::proxy
