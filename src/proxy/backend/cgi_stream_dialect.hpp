#pragma once

#include <optional>
#include <string>

#include "cgi/response_head.hpp"
#include "proxy/backend/cgi_request.hpp"
#include "proxy/backend/dialect.hpp"
#include "proxy/response_body.hpp"

// SCGI and uwsgi with members (httpd's mod_proxy_scgi and mod_proxy_uwsgi): a block of variables
// and the raw body, then a head and a body until the connection's end. A connection serves one
// request.
//
// Threads: the shard's.

namespace steelyard::proxy {

class CgiStreamDialect final : public Dialect {
 public:
  CgiStreamDialect(const Matter& matter, cgi::Protocol protocol);

  bool needs_length() const override { return true; }
  void begin() override;
  MessageWriter::Result send(io::Stream& member, std::string_view data, bool last) override;
  bool may_hear() const override { return refused_ || upload_.head_written(); }
  bool in_debt() const override { return upload_.in_debt(); }
  bool sent_all() const override { return upload_.done(); }
  std::uint64_t take_transferred() override;
  std::uint64_t bytes_sent() const override { return upload_.bytes_written(); }

  std::optional<Failure> read_head(io::Stream& member) override;
  bool head_is_here() const override { return head_read_; }
  bool keeps_error_status() const override { return false; }
  std::uint64_t bytes_heard() const override { return heard_bytes_; }
  int silence_status() const override { return protocol_ == cgi::Protocol::scgi ? 504 : 500; }
  ReplyBody& begin_answer(io::Stream& member) override;
  bool may_reuse() const override { return false; }

 private:
  std::optional<Failure> judge_scgi(std::string_view data);
  std::optional<Failure> judge_uwsgi(std::string_view data);
  Failure broken(Cause cause) const;

  Matter matter_;
  Exchange& x_;
  cgi::Protocol protocol_;
  std::string request_;
  bool refused_ = false, head_read_ = false;
  std::uint64_t heard_bytes_ = 0, accounted_ = 0;
  MessageWriter upload_;
  cgi::HeadReader script_reader_;
  http::ResponseHeadReader http_reader_;
  std::optional<ResponseBody> answer_;
};

}  // namespace steelyard::proxy
