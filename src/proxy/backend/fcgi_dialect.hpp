#pragma once

#include <array>
#include <optional>
#include <string>

#include "cgi/fcgi_reader.hpp"
#include "cgi/response_head.hpp"
#include "proxy/backend/cgi_request.hpp"
#include "proxy/backend/dialect.hpp"
#include "proxy/backend/limits.hpp"

// FastCGI with members (httpd's mod_proxy_fcgi): one request at a time on a connection, which the
// member closes unless enablereuse=on or disablereuse=off is written.
//
//   BEGIN_REQUEST PARAMS... | STDIN... and its end      STDOUT: head, body   STDERR: error log
//
// Threads: the shard's.

namespace steelyard::proxy {

// The body that a client sends, as records behind what goes first.
class StdinWriter {
 public:
  void begin(std::string_view head);
  MessageWriter::Result write(io::Stream& stream, std::string_view data, bool last);

  bool head_written() const { return head_.empty(); }
  bool done() const { return ended_ && head_.empty() && prefix().empty(); }
  bool in_debt() const { return !head_.empty() || !prefix().empty(); }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  std::string_view prefix() const {
    return std::string_view(prefix_.data(), prefix_.size()).substr(prefix_begin_);
  }
  void owe_header(std::size_t content_bytes, std::size_t written);

  std::string_view head_;
  cgi::FcgiHeader prefix_{};                           // of the open record, or the last one
  std::size_t prefix_begin_ = cgi::fcgi_header_bytes;  // what of it was sent
  std::size_t record_left_ = 0;                        // data bytes of the open record
  bool ended_ = false;  // the end of the stream was sent or lies in prefix_
  std::uint64_t bytes_written_ = 0;
};

class FcgiDialect final : public Dialect {
 public:
  FcgiDialect(const Matter& matter, Shard::Core& core);

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
  bool gives_way() const override { return read_this_turn_ >= unwanted_bytes_a_turn; }
  bool keeps_error_status() const override { return false; }
  std::uint64_t bytes_heard() const override { return heard_bytes_; }
  int silence_status() const override { return 504; }
  ReplyBody& begin_answer(io::Stream& member) override;
  bool may_reuse() const override;

 private:
  // Records are taken apart as they lie in the buffer.
  class Body final : public ReplyBody {
   public:
    Body(FcgiDialect& dialect, io::Stream& member);
    Progress pull() override;
    void take(std::size_t bytes) override;

   private:
    bool has_told_length() const;

    FcgiDialect& dialect_;
    io::Stream& member_;
    bool has_bytes_;  // none for HEAD, 204 and 304
    std::size_t rest_of_head_ = 0;
    bool broken_ = false;  // it ended, and is not whole
  };

  cgi::FcgiReader::Piece next_piece();
  io::IoResult read(io::Stream& member);
  std::optional<Failure> take_out(std::string_view data);
  Failure ended_early();
  void log_error(std::string_view text);

  Matter matter_;
  Exchange& x_;
  Shard::Core& core_;
  std::string request_;
  bool refused_ = false, head_read_ = false, is_kept_ = false;
  std::uint64_t heard_bytes_ = 0, accounted_ = 0;
  std::size_t read_this_turn_ = 0;
  StdinWriter upload_;
  cgi::FcgiReader records_;
  cgi::HeadReader head_reader_;
  std::optional<Body> answer_;
};

}  // namespace steelyard::proxy
