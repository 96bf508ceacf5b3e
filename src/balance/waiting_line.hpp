// The line of those who wait for a member of a balancer (queue=): first come first served, bounded,
// woken by events.
//
//   step_in ──▶ [ front | second | ... | last ] ◀── a full line turns newcomers away
//                   │ told when something changed, and whenever it came to the front
//                   ▼
//                 look, ask the balancer: step_out to a member, or wait on
//
// Only the front is ever told. Stepping out it calls the next, so that one event lets as many go on
// as can, in order. Who goes to a member that has yet to show that it lives does not: what becomes
// of that attempt is the next event.
//
// Invariants
//   1. Places stand in the order in which they came first, also those that step in again.
//   2. No more stand in the line than the bound. When one that stood there before comes back to a
//      full line, the last one goes.
//   3. What changes behind a look() of the front tells it again: no change is missed.
//   4. Nobody is told anything after its place is gone.
//
// Threads: any; a place is used by one. The lock here is taken behind that of a balancer, and a
// Wake is called under both: it hands over to its own thread and calls nothing else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace steelyard::balance {

struct LineCounters {
  std::size_t waiting = 0;  // now
  std::size_t longest = 0;  // the most that ever waited at a time
  // Each request counts once at most in each; one that came back from an attempt may be in two.
  std::uint64_t served = 0;       // went on to a member
  std::uint64_t timed_out = 0;    // its time was over
  std::uint64_t turned_away = 0;  // the line was full
};

class WaitingLine {
 public:
  using Wake = std::function<void()>;
  enum class Standing : std::uint8_t { front, behind, pushed_out };
  enum class Next : std::uint8_t { called, waits_for_outcome };

  // Of one request, from its first step into the line until it needs no member any more.
  class Place {
   public:
    Place(WaitingLine& line, Wake wake) : line_(line), wake_(std::move(wake)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

    // Outside the line. False: it is full with `most`.
    [[nodiscard]] bool step_in(std::size_t most);
    // Where it stands; what changes from now on is told.
    Standing look();
    // To a member.
    void step_out(Next next);
    // Its time is over, in the line or with its last attempt.
    void give_up();

   private:
    friend class WaitingLine;
    enum class State : std::uint8_t { outside, in_line, pushed_out, trying };

    WaitingLine& line_;
    const Wake wake_;
    Place* before_ = nullptr;
    Place* behind_ = nullptr;
    std::uint64_t ticket_ = 0;  // 0: none was drawn yet
    State state_ = State::outside;
    bool told_ = false;
    bool served_ = false;
  };

  WaitingLine() = default;
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;
  ~WaitingLine();

  // Sequentially consistent, as are the ends of leases and trials and the looks at them: who ends
  // one and sees nobody here ended it before whoever comes now looks.
  [[nodiscard]] bool anyone_waits() const { return waiting_.load() != 0; }
  // Something changed that may let the front go on.
  void stir() {
    if (anyone_waits()) stir_front();
  }
  [[nodiscard]] LineCounters counters() const;

 private:
  void stir_front();
  // Under the lock.
  static void call(Place& place);
  void call_front();
  void insert(Place& place);
  void remove(Place& place);
  // Calls the next one when the front left.
  void leave(Place& place);

  mutable std::mutex lock_;
  Place* front_ = nullptr;
  Place* last_ = nullptr;
  std::uint64_t tickets_ = 0;  // drawn so far
  LineCounters counters_;      // but for `waiting`
  std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace steelyard::balance
