#pragma once

#include <cstdint>
#include <memory>

#include "balance/waiting_line.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/request_body.hpp"

// An exchange in the line of a balancer (queue=), from its first step in until it needs no member
// any more.
//
//   stand ─▶ step in ─▶ asleep until called, an error ends, or its time is over
//     ▲                    │                               │
//     │                    ▼ at the front                  ▼
//     │                 ask the balancer                ask once more, errors forgotten
//     │                    │ picked                        │ picked           │ nobody
//     └── failed ◀──── the attempt                     the last attempts    503
//
// Invariants: 1. it ends TIME after the first step in (line_pause later when one in front of it has
//                longer), or with the attempts that it makes then.
//             2. a client that is gone leaves the line at once, if all of its request was received.
// Threads: the shard's; it is called from any.

namespace steelyard::proxy {

class LineWait {
 public:
  enum class End : std::uint8_t {
    decided,  // the balancer picked, or said that waiting is of no use
    timed_out,
    line_full,
    server_stops,
    client_gone,
  };

  LineWait(Exchange& x, Shard::Core& core, const ClientSide& client, const RequestBody& body,
           const Group& group);
  LineWait(const LineWait&) = delete;
  LineWait& operator=(const LineWait&) = delete;
  ~LineWait();

  // `decision` is what the balancer said last.
  io::Task<End> stand(balance::ChoiceRequest request, balance::Decision& decision);

  // How the last stand() ended.
  End end() const { return end_; }
  // What the choices for further attempts are asked as.
  balance::Attempt attempt() const {
    return is_over_ ? balance::Attempt::last_chance : balance::Attempt::in_line;
  }
  // In the line, all stands together.
  Duration waited() const { return waited_; }
  // To have a look; from the shard's thread or under the line's lock.
  void call();

 private:
  // Shared with calls that are on their way from other threads.
  struct Bell {
    io::Loop* loop;
    io::Wait* wait = nullptr;  // the loop's thread only
  };
  io::Task<End> wait_for_turn(balance::ChoiceRequest request, balance::Decision& decision);
  bool ask(balance::ChoiceRequest& request, balance::Decision& decision);
  End ask_once_more(balance::ChoiceRequest& request, balance::Decision& decision);
  bool has_client_left();
  void note_time(Instant began);

  Exchange& x_;
  Shard::Core& core_;
  const ClientSide client_;
  const RequestBody& body_;
  const Group& group_;
  const std::shared_ptr<Bell> bell_;
  balance::WaitingLine::Place place_;
  Instant deadline_ = never;
  Duration waited_{0};
  bool watches_client_ = false;
  bool comes_back_ = false;
  bool is_over_ = false;
  End end_ = End::decided;
};

// What waiting may change.
bool waits_in_line(balance::Outcome outcome);
// Whether the client hung up, as far as that can be seen: not while it may still have to say
// something of its request. What it says behind that is kept.
bool has_left(const ClientSide& client, const RequestBody& body);
// The members that were tried are let go: to wait with a claim on one would be to wait for oneself.
void let_go_of_members(Exchange& x);

}  // namespace steelyard::proxy
