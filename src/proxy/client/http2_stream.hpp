#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "http/head_text.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "proxy/client/http2_fields.hpp"
#include "proxy/client/http2_request.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/read_buffer.hpp"

// One stream of an HTTP/2 client: an exchange, and the io::Stream that it runs over. To the
// exchange it looks like an HTTP/1 client of one request: a body of unknown length is read as
// chunks, the answer's head is written as text, and the end of writing ends the message. An
// extended CONNECT (RFC 8441) looks like the GET that asks for a WebSocket: after a member's 101,
// which the client gets as 200, or a 200 for a plain CONNECT, it is the tunnel that a connection
// is.
//
//   DATA ─▶ received_ ─ read ─▶ exchange ─ write ─▶ head_, unsent_ ─▶ HEADERS, DATA
//
//   receiving head ─▶ serving ─▶ served ─▶ (closed) deleted
//
// Invariants: 1. received_ holds no more than the window that the client was given: it grows again
//                when the exchange took something (back-pressure).
//             2. unsent_ holds no more than H2StreamMaxMemSize; then the stream is not writable.
//             3. nothing here is woken while the library calls us; see Http2Session.
// Threads: the shard's.

namespace steelyard::proxy {

class Http2Session;

class Http2Stream final : public io::Stream {
 public:
  Http2Stream(Http2Session& session, std::int32_t id);
  ~Http2Stream() override;

  // --- what the exchange sees --------------------------------------------------------------------
  io::IoResult read(std::span<char> room) override;
  io::IoResult write(std::span<const std::string_view> pieces) override;
  void end_writing() override;
  void reset() override { broken_ = true; }
  bool silent_and_open() override { return !closed_ && received_.empty(); }
  bool has_hung_up() override { return closed_; }
  Endpoint local() const override { return facts_.local; }

  // --- the request, as it comes ------------------------------------------------------------------
  void begin_head();
  Http2RequestReader& request() { return request_; }
  Exchange& exchange() { return workspace_->exchange; }
  void add_trailer(std::string_view name, std::string_view value);
  // The head is complete; the exchange begins with the next news.
  void begin_serving(bool has_body);
  void take_data(std::string_view data) { received_.append(data); }
  void end_body() { body_ended_ = true; }
  void adopt(std::unique_ptr<Workspace> workspace);  // an HTTP/1 request that asks for HTTP/2

  // --- the answer, as it goes --------------------------------------------------------------------
  // Tells the library what is to be sent. False: it cannot.
  bool hand_over();
  // A piece of the body: how much of it goes into a frame of so many bytes.
  struct Piece {
    std::size_t bytes = 0;
    bool ends = false, has_trailers = false;
  };
  Piece next_piece(std::size_t bytes_max);
  std::string_view unsent() const { return unsent_.data(); }
  void sent(std::size_t bytes);
  std::span<const nghttp2_nv> trailers();

  // --- its life ----------------------------------------------------------------------------------
  // What happened since the last time wakes the exchange, or ends it. False: it is to be deleted.
  bool heed_news();
  void close() { closed_ = true; }
  // The library is through with it, by this code. A tunnel whose halves ended in order goes on,
  // detached, until its other end has what the client said last.
  void leave(std::uint32_t code);
  bool is_detached() const { return is_detached_; }
  bool is_serving() const { return state_ == State::serving; }
  bool asks_for_tunnel() const { return wish_ != Wish::none && !is_served(); }
  bool is_served() const { return state_ == State::served; }
  bool wants_no_more() const { return wants_no_more_; }  // the answer is there
  bool is_reading_head() const { return state_ == State::receiving_head; }
  void watch_for_stall(Duration patience);  // of who takes nothing of the rest of an answer
  std::int32_t id() const { return id_; }

  bool has_news = false, has_output = false;  // is in the session's lists

 private:
  enum class State : std::uint8_t { receiving_head, starting, serving, served };
  enum class Wish : std::uint8_t { none, tunnel, websocket };  // what a success makes of it

  class Stall final : public io::Timer {
   public:
    explicit Stall(Http2Stream& stream) : stream_(stream) {}

   private:
    void expired() override;
    Http2Stream& stream_;
  };

  io::Task<> live();
  io::Task<> answer_fault();
  void wind_up(bool received_all);
  [[nodiscard]] std::uint32_t reason_to_reset(bool asks_for_http1) const;
  void abandon();
  void ask_for_websocket();
  void ask_for_tunnel(Wish wish);
  bool grants_wish(int status) const;
  void take_head(std::string_view text);
  void keep_trailers();
  std::size_t read_chunks(std::span<char> room);
  std::size_t copy_received(std::span<char> room);
  void put_prefix(std::string_view text);
  ClientSide side() { return {*this, timer_, *workspace_}; }

  Http2Session& session_;
  const std::int32_t id_;
  State state_ = State::receiving_head;
  Wish wish_ = Wish::none;
  // --- request: written by the session
  bool body_ended_ = false, closed_ = false, is_detached_ = false;
  int refused_status_ = 0;
  Http2RequestReader request_;
  ReadBuffer received_;
  // --- request: written by read()
  bool chunked_ = false, said_last_chunk_ = false;
  std::size_t chunk_left_ = 0;
  char prefix_[24];
  std::uint8_t prefix_begin_ = 0, prefix_end_ = 0;
  // --- answer: written by the exchange
  bool has_head_ = false, ended_ = false, broken_ = false, is_tunnel_ = false;
  http::HeadText head_, trailers_;
  ReadBuffer unsent_;
  // --- answer: written by the session
  bool submitted_ = false, deferred_ = false, wants_no_more_ = false;
  Http2Fields fields_;
  Duration patience_{};
  ClientFacts facts_;
  io::WaitTimer timer_;
  Stall stall_{*this};
  std::unique_ptr<Workspace> workspace_;
  io::Task<> life_;  // last: its frame refers to everything above
};

}  // namespace steelyard::proxy
