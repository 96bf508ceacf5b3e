#pragma once

#include <optional>

#include "http/response_head.hpp"
#include "proxy/backend/dialect.hpp"
#include "proxy/backend/http1_request.hpp"
#include "proxy/response_body.hpp"

// HTTP/1.1 and 1.0 with members (RFC 9112; httpd's mod_proxy_http).
//
// Threads: the shard's.

namespace steelyard::proxy {

class Http1Dialect final : public Dialect {
 public:
  explicit Http1Dialect(const Matter& matter);

  bool needs_length() const override;
  bool passes_expect() const override { return passes_expect_; }
  void begin() override;
  bool is_probing() const override { return waits_for_continue_; }
  MessageWriter::Result send(io::Stream& member, std::string_view data, bool last) override;
  bool may_hear() const override { return upload_.head_written(); }
  bool in_debt() const override { return upload_.in_debt(); }
  bool sent_all() const override { return upload_.done(); }
  std::uint64_t take_transferred() override;
  std::uint64_t bytes_sent() const override { return upload_.bytes_written(); }

  std::optional<Failure> read_head(io::Stream& member) override;
  bool head_is_here() const override { return final_head_read_; }
  std::uint64_t bytes_heard() const override { return heard_bytes_; }
  std::string_view upgrade() const override { return upgrade_; }
  ReplyBody& begin_answer(io::Stream& member) override;
  bool may_reuse() const override;

 private:
  BodyPlan plan_body() const;
  std::string_view wanted_upgrade() const;
  std::optional<Failure> judge_head(http::ResponseProgress progress);
  std::optional<Failure> judge_upgrade();
  std::optional<Failure> take_interim();

  Exchange& x_;
  const ClientSide& client_;
  RequestBody& body_;
  const AttemptPlan& plan_;
  bool is_older_;       // force-proxy-request-1.0
  bool passes_expect_;  // the client's Expect goes to the member
  bool waits_for_continue_ = false, final_head_read_ = false;
  int interims_ = 0;
  std::uint64_t heard_bytes_ = 0;  // of an answer, up to its head's end
  std::uint64_t accounted_ = 0;    // bytes of the request that the member's counter knows of
  http::ResponseHeadReader reader_;
  MessageWriter upload_;
  std::optional<ResponseBody> answer_;
  std::string_view wanted_upgrade_, upgrade_;  // as the client says it, and the member
};

}  // namespace steelyard::proxy
