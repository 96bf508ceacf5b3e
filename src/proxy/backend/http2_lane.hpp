#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "http/field.hpp"
#include "io/stream.hpp"

// One request and its answer on an HTTP/2 connection that others share (RFC 9113 5): for who asks,
// a stream like any other whose bytes are the bodies'.
//
//   write ─▶ out (bounded) ─▶ DATA frames, as the member's windows allow
//   data, consume ◀─ in (bounded by the window we gave) ◀─ DATA frames
//
//   request:  open ─▶ ending ─▶ sent            the last: the library has all of it
//   fate:     open ─▶ how the stream ended, once; what was known first counts
//
// Invariants: 1. what the member may send without being asked fits lane_window_bytes.
//             2. an answer that ended without END_STREAM is broken, never over.
//             3. a lane that dies before both messages ended cancels its stream; the connection
//                and its other lanes go on.
// Threads: the loop's.

namespace steelyard::proxy {

class Http2Carrier;

inline constexpr std::uint32_t lane_window_bytes = 128 * 1024;
inline constexpr std::size_t lane_out_bytes_max = 32 * 1024;
inline constexpr std::size_t lane_head_bytes_max = 256 * 1024;
inline constexpr std::size_t lane_fields_max = 1000;
inline constexpr std::size_t lane_heads_max = 16;  // interim ones that nobody fetched yet

// A head as it came: an interim one, the final one, or trailers (without a status).
struct Http2Head {
  struct Row {
    std::size_t name_bytes, value_bytes;
  };
  int status = 0;
  bool ends = false;      // nothing follows
  std::string text;       // names and values, one after the other
  std::vector<Row> rows;  // of `text`
};

class Http2Lane final : public io::Stream {
 public:
  explicit Http2Lane(std::shared_ptr<Http2Carrier> carrier);
  ~Http2Lane() override;

  // --- the request
  // Names in lower case; pseudo fields first. `ends`: there is no body. Where no stream is to
  // be had any more, the lane is broken and refused.
  void ask(const http::FieldList& head, bool ends);
  io::IoResult write(std::span<const std::string_view> pieces) override;
  void end_writing() override { end_writing({}); }
  void end_writing(const http::FieldList& trailers);
  // Asks the member for a sign of life; heard_ping() once it came.
  void ping();
  bool heard_ping() const { return heard_ping_; }

  // --- the answer
  std::optional<Http2Head> next_head();
  std::string_view data() const { return std::string_view(in_).substr(in_begin_); }
  void consume(std::size_t bytes);
  // Notes that who asks waits for more.
  void nothing_yet() { readable_ = false; }
  bool has_ended() const { return ended_; }  // with END_STREAM
  bool is_broken() const { return is_closed() && !ended_; }
  // The member said that it did not look at the request (REFUSED_STREAM, GOAWAY).
  bool was_refused() const { return fate_ == Fate::refused; }
  // While others were under way: it may look at it elsewhere, or later.
  bool lacked_room() const { return lacked_room_; }
  // The member answered something on this connection, at any time.
  bool member_has_answered() const;
  // Why it is broken, for the log; empty: nothing more is known.
  std::string why() const;
  // The member broke this stream, not the connection.
  bool was_reset() const { return fate_ == Fate::reset || fate_ == Fate::left_in_peace; }
  // It did, without an error: some leave END_STREAM out of an answer whose length they told.
  bool was_left_in_peace() const { return fate_ == Fate::left_in_peace; }
  std::uint64_t bytes_heard() const { return heard_bytes_; }

  io::IoResult read(std::span<char> room) override;
  void reset() override;
  bool silent_and_open() override { return !is_closed() && !ended_ && data().empty(); }
  bool has_hung_up() override { return is_closed(); }
  Endpoint local() const override;

 private:
  friend class Http2Carrier;
  enum class Request : std::uint8_t { open, ending, sent };
  enum class Fate : std::uint8_t {
    open,
    lost,           // with its connection, or by our own doing
    reset,          // by the member
    left_in_peace,  // the same with NO_ERROR
    refused,        // unseen
  };
  bool is_closed() const { return fate_ != Fate::open; }
  using io::Stream::became;
  // By the carrier, from the library's calls.
  bool begin_head();
  bool add_field(std::string_view name, std::string_view value);
  void end_head(bool ends);
  void add_data(std::string_view bytes);
  void end();
  void close(Fate fate, std::string_view why = {});
  std::size_t give(char* room, std::size_t bytes, bool& over);

  std::shared_ptr<Http2Carrier> carrier_;
  Instant entered_{};
  std::int32_t id_ = 0;  // 0: not asked yet
  std::deque<Http2Head> heads_;
  Http2Head growing_;
  std::string in_, out_;
  std::size_t in_begin_ = 0, out_begin_ = 0;
  std::uint64_t heard_bytes_ = 0;
  http::FieldList trailers_;
  std::string trailer_text_;
  Request request_ = Request::open;
  Fate fate_ = Fate::open;
  bool ended_ = false;      // the answer, with END_STREAM
  bool out_waits_ = false;  // the library asked for more of the body than there was
  bool heard_ping_ = false;
  bool lacked_room_ = false;
  std::string why_;
  bool stirred_read_ = false, stirred_write_ = false;  // is to be told at the turn's end
};

}  // namespace steelyard::proxy
