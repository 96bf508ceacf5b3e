#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "proxy/backend/http2_lane.hpp"
#include "proxy/backend/lane_room.hpp"
#include "proxy/backend_connection.hpp"

struct nghttp2_session;

// An HTTP/2 connection to a member (RFC 9113), shared by as many exchanges of its shard as the
// member allows.
//
//   lanes ─▶ session (nghttp2: frames, HPACK, windows) ─▶ stream below
//     ▲                    └── events ──▶ stirred lanes, woken when the library is left
//
// Invariants: 1. a lane's coroutine never runs inside a call of the library.
//             2. when the connection breaks, every lane learns it.
//             3. what a slow client leaves lying holds back its own lane only: bytes count against
//                the lane's window until they were taken, not against the connection's.
//             4. while one waits for its slot whom no lane of his own shard will help, there are as
//                many lanes more as it may have at a time. Then it takes none, and its end gives
//                the slot to him; unless a lane lasts so long that waiting for that is vain.
// Threads: the loop's.

namespace steelyard::proxy {

// A lane of this age is taken for one without an end in sight (a stream of events, a gRPC watch).
inline constexpr Duration lasting_lane = std::chrono::seconds(10);

class Http2Carrier final : public std::enable_shared_from_this<Http2Carrier>,
                           private io::IdleWatcher {
 public:
  // Who offers the connection to others. Told once it has no lanes, when it may have room for more
  // of them, and when it is of no more use.
  class Keeper {
   public:
    virtual void carrier_has_room(Http2Carrier& carrier) = 0;
    virtual void carrier_rests(Http2Carrier& carrier) = 0;
    virtual void carrier_ended(Http2Carrier& carrier) = 0;
    // One waits for its slot whom no lane on a carrier of his own shard helps.
    virtual bool slot_is_wanted_elsewhere() const = 0;

   protected:
    ~Keeper() = default;
  };

  // Says our preface and settings. `connection` is connected (and secured).
  static std::shared_ptr<Http2Carrier> begin(std::unique_ptr<BackendConnection> connection,
                                             io::Loop& loop, const LaneRoom& expected = {});
  Http2Carrier(std::unique_ptr<BackendConnection> connection, io::Loop& loop,
               const LaneRoom& expected);
  virtual ~Http2Carrier();
  Http2Carrier(const Http2Carrier&) = delete;
  Http2Carrier& operator=(const Http2Carrier&) = delete;

  void set_keeper(Keeper* keeper) { keeper_ = keeper; }
  // Before the member said how many it allows, there are as many as were expected. `sends_body`:
  // the lane needs room in the connection's window, which an upload that the member does not read
  // may have used up.
  bool takes_more(bool sends_body) const;
  // There is room, or one of its lanes will leave some: not all of them last, and the member has
  // not said that it is the end.
  bool will_have_room() const;
  // The keeper is told when lanes begin to last: somebody waits for one of them.
  void watch_lanes();
  // The member has not said yet how many it allows (RFC 9113 3.4: its first frame does).
  bool is_settling() const { return !settled_ && !broken_; }
  LaneRoom room() const;
  std::size_t lanes() const { return lanes_.size(); }
  bool rests() const { return lanes_.empty(); }
  Instant rests_since() const { return rests_since_; }
  bool is_over() const { return broken_; }
  // Somebody waits for a connection.
  bool slot_is_wanted() const { return connection_->slot.is_wanted(); }
  BackendConnection& connection() const { return *connection_; }
  io::Stream& below() const { return *connection_->stream; }

 private:
  friend class Http2Lane;
  struct Calls;  // the library's callbacks
  // When the lane that is the oldest now lasts.
  class Lasting final : public io::Timer {
   public:
    explicit Lasting(Http2Carrier& carrier) : carrier_(carrier) {}

   private:
    void expired() override { carrier_.look_for_lasting(); }
    Http2Carrier& carrier_;
  };

  // For lanes.
  void enter(Http2Lane& lane);
  void leave(Http2Lane& lane);
  void ask(Http2Lane& lane, const http::FieldList& head, bool ends);
  void go_on_sending(Http2Lane& lane);
  void consumed(const Http2Lane& lane, std::size_t bytes);
  void ping();
  void flush();
  void stir(Http2Lane& lane, bool readable, bool writable);
  bool has_answered() const { return answered_; }
  const std::string& why_it_broke() const { return why_; }
  // The member refused a stream. True: while others were under way.
  bool note_refusal();

  void idle_stream_stirred(io::Stream& stream) override { idle_stream_became(stream, true, true); }
  void idle_stream_became(io::Stream& stream, bool readable, bool writable) override;
  void receive();
  void gather();
  void break_off(std::string_view why = {});
  void tell_of_room();
  // Invariant 4.
  bool makes_way() const {
    return passed_over_ >= room().lanes() && keeper_ != nullptr &&
           keeper_->slot_is_wanted_elsewhere();
  }
  void note_passed_over();
  void look_for_lasting();
  bool lasts(const Http2Lane& lane) const;
  bool has_lasting_lane() const;
  void wake_stirred();
  void wake_later();

  io::Loop& loop_;
  std::unique_ptr<BackendConnection> connection_;
  nghttp2_session* session_ = nullptr;
  Keeper* keeper_ = nullptr;
  std::vector<Http2Lane*> lanes_;
  std::string out_;  // frames on their way
  std::size_t out_begin_ = 0;
  Instant rests_since_{};
  Lasting lasting_{*this};
  std::size_t passed_over_ = 0;  // lanes given while one waited for the slot
  LaneRoom room_;                // by settings: until they are here; by refusals: until it rests
  std::string why_;              // it broke, for the log
  std::string goaway_;           // what the member said when it ended it
  std::string fault_;            // the library's words for what the member did wrong
  bool settled_ = false;         // the member's settings are here
  bool answered_ = false;        // a head of an answer came
  bool broken_ = false, in_library_ = false, wakes_later_ = false, reads_later_ = false;
};

// A connection whose stream is a lane on it.
std::unique_ptr<BackendConnection> lane_on(std::shared_ptr<Http2Carrier> carrier);

}  // namespace steelyard::proxy
