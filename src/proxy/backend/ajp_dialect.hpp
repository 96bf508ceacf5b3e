#pragma once

#include <array>
#include <optional>
#include <span>

#include "ajp/packet.hpp"
#include "proxy/backend/ajp_input.hpp"
#include "proxy/backend/dialect.hpp"

// AJP13 with servlet containers (mod_proxy_ajp; docs/ajp.md). What is in the packets: ajp/.
//
//   [CPING, CPONG] ─▶ request [and the first bytes of a body with a length]
//                        ◀── wants body     any number of times: one packet for each
//                        ◀── headers, chunks ..., end
//
// Invariants: 1. body bytes go out only when they are due: at first, or for a wish.
//             2. the head is only believed with what follows it: until then the request may go to
//                another member, as in httpd.
// Threads: the shard's.

namespace steelyard::proxy {

class AjpDialect final : public Dialect {
 public:
  explicit AjpDialect(const Matter& matter);

  void begin() override;
  bool is_probing() const override { return pinging_; }
  bool is_untold() const override { return pinging_; }
  bool holds_body() const override;
  MessageWriter::Result send(io::Stream& member, std::string_view data, bool last) override;
  bool may_hear() const override { return too_large_ || head_.empty(); }
  bool in_debt() const override;
  bool sent_all() const override;
  std::uint64_t take_transferred() override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

  std::optional<Failure> read_head(io::Stream& member) override;
  bool head_is_here() const override { return head_is_here_; }
  bool gives_way() const override { return gives_way_; }
  bool speaks_http() const override { return false; }
  std::uint64_t bytes_heard() const override { return input_.bytes_heard(); }
  ReplyBody& begin_answer(io::Stream& member) override;
  bool may_reuse() const override;
  void judge(Failure& failure) const override;
  bool marks_member(const Failure& failure) const override;
  bool marks_sent(const Failure& failure) const override;

 private:
  // What follows the headers.
  class Answer final : public ReplyBody {
   public:
    Answer(AjpDialect& dialect, io::Stream& member, bool end);
    Progress pull() override;
    void take(std::size_t bytes) override;

   private:
    std::optional<Progress> take_packet();
    std::optional<Progress> take_chunk();
    Progress take_end();
    Progress fail();

    AjpDialect& dialect_;
    io::Stream& member_;
    std::size_t packet_bytes_ = 0;  // of the packets that pending_ lies in, and of an end behind it
    bool failed_ = false;
  };

  void lay_out_request();
  void offer_request();
  void put_in_front(std::span<const char> bytes);
  const http::FieldList& request_fields();
  bool has_no_body() const;
  bool may_open_packet() const;
  void open_packet(std::size_t data_bytes);

  std::optional<Failure> take_pong();
  // Nothing: the packet was dealt with and the next one is wanted.
  std::optional<Failure> take_packet();
  std::optional<Failure> take_headers();
  void adopt_fields();
  // False: it wants more than there can be.
  bool take_wish();
  Failure faulty(std::string_view why) const;

  Exchange& x_;
  const ClientSide& client_;
  RequestBody& body_;
  const AttemptPlan& plan_;
  std::size_t packet_bytes_max_;

  // --- on its way out ---
  http::FieldList traced_fields_;  // the request's, with our word on its trace
  std::string_view head_;          // the request's payload, or the ping
  std::array<char, ajp::data_head_bytes> prefix_{};
  std::string_view prefix_left_;  // in front of head_ or of the data
  std::size_t packet_left_ = 0;   // data bytes of the open packet that were not sent
  bool pinging_ = false, too_large_ = false;
  bool owes_first_ = false;  // body bytes go out that nobody asked for
  bool body_over_ = false;
  int wishes_ = 0;       // that were not granted yet
  int idle_wishes_ = 0;  // for bytes when there are no more
  std::uint64_t bytes_sent_ = 0, data_sent_ = 0, accounted_ = 0;

  // --- on its way in ---
  AjpInput input_;
  bool has_headers_ = false, head_is_here_ = false, gives_way_ = false;
  bool reuses_ = false;                  // the container ended its answer and goes on listening
  bool unfit_ = false;                   // what it said was in order, but cannot be passed on
  std::optional<std::uint64_t> length_;  // ap_trust_cgilike_cl: of the answer's body
  std::optional<Answer> answer_;
};

}  // namespace steelyard::proxy
