#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.hpp"
#include "proxy/client/http2_allowance.hpp"
#include "proxy/client/http2_stream.hpp"
#include "proxy/core.hpp"

// A client's connection that speaks HTTP/2: frames in, frames out, and the streams between. nghttp2
// knows the protocol; it is given bytes and asked for bytes, and never touches the connection.
//
//   connection's coroutine ─ receive() ─▶ library ─▶ callbacks: streams note what came
//                                            ▲            └─▶ news ─▶ exchanges run, and write
//   end of the turn ─ send() ────────────────┴── output of all streams, in one piece
//
// Invariants: 1. no exchange runs while the library calls us: callbacks only note news.
//             2. frames are made when those before are gone: what waits for the client is bounded.
//             3. a session without streams owns no buffer.
// Threads: the shard's.

namespace steelyard::proxy {

class Http2Session {
 public:
  // Everything given lives longer. `facts` are the connection's.
  Http2Session(Shard::Core& core, io::Stream& stream, ClientFacts& facts);
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;
  ~Http2Session();

  // The request that asked for HTTP/2 becomes stream 1. `settings`: the payload of its field.
  // False: that is none.
  bool upgrade(std::string_view settings, std::unique_ptr<Workspace> workspace);

  // Bytes that were read before the session began.
  void feed(std::string_view bytes);
  enum class Received : std::uint8_t { all, others_turn };
  // Takes what the client says until it is silent.
  Received receive();
  // Sends what there is. At the end of a turn.
  void send();

  bool is_over() const { return over_; }
  // The client was told to go, and may not have noticed.
  bool lingers() const { return !peer_left_; }
  bool is_idle() const { return streams_.empty() && owed_.empty(); }
  // Nothing new is taken; what is under way goes on (GOAWAY).
  void drain();
  // The connection is closed now.
  void say_goodbye();

  // --- for the connection's coroutine: when to look at the clock, and what to wait for
  Instant deadline() const;
  void time_is_up();
  io::Wait& wait_for_client(io::Wait& wait);
  void sleep_in(io::Wait& wait) { wait_ = &wait; }
  void wake_up();

  // --- for streams
  Shard::Core& core() { return core_; }
  const ClientFacts& facts() const { return facts_; }
  // Of the first server at the connection's address, in the generation that new streams get.
  const config::ClientSettings& client() const;
  const config::Http2Settings& settings() const { return client().http2; }
  nghttp2_session* library() { return library_; }
  void note_output(Http2Stream& stream);
  void note_news(Http2Stream& stream);
  void note_served(Http2Stream& stream);
  // One more that does not count against H2MaxSessionStreams any more.
  bool may_detach() const { return streams_.size() <= std::size_t{2} * settings().streams_max; }
  void consumed(const Http2Stream& stream, std::size_t bytes);
  void reset(const Http2Stream& stream, std::uint32_t code);

 private:
  friend struct Http2Callbacks;

  void submit_settings();
  void take(std::string_view bytes);
  void hand_out_news();
  void erase(Http2Stream& stream);
  void abandon_streams();
  void push_outputs();
  bool write_out();
  bool send_pieces();
  bool pay_owed();
  void break_off();
  void be_calm(std::uint32_t code);
  void finish_if_over();
  void talk();
  Duration stream_patience() const;
  Http2Stream& open(std::int32_t id);

  Shard::Core& core_;
  io::Stream& stream_;
  ClientFacts& facts_;
  mutable config::ClientSettings client_;
  mutable std::uint64_t client_of_;  // Core::adoptions
  nghttp2_session* library_ = nullptr;
  std::vector<std::unique_ptr<Http2Stream>> streams_;
  std::vector<Http2Stream*> news_, running_, outputs_, served_;
  std::string owed_;                  // made, and not taken by the client yet
  std::string* gathering_ = nullptr;  // where frames are collected while send() makes them
  std::shared_ptr<Http2Session*> alive_ = std::make_shared<Http2Session*>(this);  // for late jobs
  io::Wait* wait_ = nullptr;  // where the connection's coroutine sleeps
  Http2Allowance idle_frames_, resets_;
  std::uint32_t stream_errors_ = 0;
  Instant idle_since_, owed_since_, head_began_ = never;
  std::uint32_t give_up_code_ = 0;  // why the client is to be sent away; 0: it is not
  bool is_talkative_ = false, drains_ = false;
  bool frame_brought_data_ = false;  // the DATA frame that is being read: more than padding
  bool waits_for_room_ = false;      // nobody waits for room yet that is needed
  bool awaits_room_ = false;         // the connection's coroutine does
  bool over_ = false, ending_ = false, peer_left_ = false;
};

}  // namespace steelyard::proxy
