#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "io/timer.hpp"

// Bytes in both directions, never blocking. Read and write try at once; when they would block, the
// caller parks in a Wait until the stream is ready again.
//
//   while (true) {
//     IoResult r = stream.read(buffer);
//     if (r.status != IoStatus::would_block) break;
//     if (co_await Wait(timer, deadline).readable(stream) == Woken::timed_out) ...
//   }
//
// Invariants: 1. at most one coroutine waits for a stream, for either direction or both.
//             2. would-block and end of stream are results, not errors.
// Threads: the loop's.

namespace steelyard::io {

enum class IoStatus : std::uint8_t { ok, would_block, end, failed };

struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;
  int error = 0;  // errno of a failure
};

class Wait;
class Stream;

// Is told when something happens to a stream that nobody waits for. May destroy it.
class IdleWatcher {
 public:
  // There is something to read, or the peer has ended.
  virtual void idle_stream_stirred(Stream& stream) = 0;
  // The same, for who wants to know about room as well: a stream that lies over another one.
  virtual void idle_stream_became(Stream& stream, bool readable, bool /*writable*/) {
    if (readable) idle_stream_stirred(stream);
  }

 protected:
  ~IdleWatcher() = default;
};

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  virtual IoResult read(std::span<char> room) = 0;
  // Writes pieces in order, as many bytes as go at once. A stream may hold back a little of what it
  // took until the turn ends or the peer has room.
  virtual IoResult write(std::span<const std::string_view> pieces) = 0;
  // Sends what is held back. False: some still is, and the stream is not writable; a stream that is
  // closed now loses it.
  virtual bool settle() { return true; }
  virtual void end_writing() = 0;  // half-close
  virtual void reset() = 0;        // closing resets: what the peer got is not complete
  // Whether a parked, silent peer is still there: nothing to read, not ended, no error.
  virtual bool silent_and_open() = 0;
  // Nobody is at the other end any more, where the system tells: of a Unix socket whenever it was
  // closed, which is more than a half-close; of TCP after a reset.
  virtual bool has_hung_up() = 0;
  virtual Endpoint local() const = 0;
  // Where it was connected to; the zero endpoint when that is no address, or when it was accepted.
  const Endpoint& dialed() const { return dialed_; }
  void set_dialed(const Endpoint& endpoint) { dialed_ = endpoint; }

  // nullptr: nobody.
  void set_idle_watcher(IdleWatcher* watcher) { idle_watcher_ = watcher; }
  // False: a read would block, as far as is known.
  bool may_be_readable() const { return readable_; }

 protected:
  bool is_awaited() const { return waiter_ != nullptr; }
  bool is_watched() const { return idle_watcher_ != nullptr; }
  // Notes what became possible and wakes who waits for it. The stream may be gone afterwards.
  void became(bool readable, bool writable);
  bool readable_ = true, writable_ = true;  // sticky until it would block

 private:
  friend class Wait;
  Wait* waiter_ = nullptr;
  IdleWatcher* idle_watcher_ = nullptr;
  Endpoint dialed_;
  bool waits_to_read_ = false, waits_to_write_ = false;
};

// The timer of a coroutine that waits for streams: one a connection, re-armed for every wait.
class WaitTimer final : public Timer {
 public:
  explicit WaitTimer(TimerWheel& wheel) : wheel_(&wheel) {}

 private:
  friend class Wait;
  void expired() override;
  TimerWheel* wheel_;
  Wait* wait_ = nullptr;
};

enum class Woken : std::uint8_t { ready, timed_out };

// Parks a coroutine until one of up to four conditions holds or the deadline passes.
class [[nodiscard]] Wait {
 public:
  Wait(WaitTimer& timer, Instant deadline) : timer_(timer), deadline_(deadline) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() { leave(); }

  Wait& readable(Stream& stream) { return add(stream, Direction::read); }
  Wait& writable(Stream& stream) { return add(stream, Direction::write); }
  // Woken by wake() from elsewhere (a pool, another shard).
  Wait& called() { return *this; }

  bool await_ready() const;
  void await_suspend(std::coroutine_handle<> handle);
  Woken await_resume();

  void wake(Woken how);

 private:
  enum class Direction : std::uint8_t { read, write };
  struct Condition {
    Stream* stream;
    Direction direction;
  };
  Wait& add(Stream& stream, Direction direction);
  void leave();

  WaitTimer& timer_;
  Instant deadline_;
  std::coroutine_handle<> handle_;
  Condition conditions_[4];
  std::uint8_t count_ = 0;
  bool parked_ = false;
  Woken how_ = Woken::ready;
};

}  // namespace steelyard::io
