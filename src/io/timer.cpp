#include "io/timer.hpp"

#include <algorithm>
#include <bit>

namespace steelyard::io {

Timer::~Timer() { unlink(); }

void Timer::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
}

void Timer::arm(TimerWheel& wheel, Instant deadline) {
  deadline_ = deadline;
  if (deadline == never) return;
  // Lying in an earlier slot is fine: when that slot comes round the timer is laid anew.
  if (link_ != nullptr && tick_ <= wheel.tick_of(deadline)) return;
  unlink();
  wheel.lay(*this);
}

TimerWheel::TimerWheel(Instant now) : start_(now) {}

std::uint64_t TimerWheel::tick_of(Instant when) const {
  if (when <= start_) return 0;
  const auto ticks = (when - start_ + slot_width - Duration(1)) / slot_width;
  return static_cast<std::uint64_t>(ticks);
}

void TimerWheel::lay(Timer& timer) {
  const std::uint64_t wanted = std::max(tick_of(timer.deadline_), current_);
  timer.tick_ = std::min(wanted, current_ + slot_count - 1);
  const std::size_t slot = timer.tick_ % slot_count;
  timer.next_ = slots_[slot];
  timer.link_ = &slots_[slot];
  if (timer.next_ != nullptr) timer.next_->link_ = &timer.next_;
  slots_[slot] = &timer;
  occupied_[slot / 64] |= std::uint64_t{1} << slot % 64;
}

void TimerWheel::turn(Instant now) {
  const auto today = static_cast<std::uint64_t>(std::max<Duration>(now - start_, {}) / slot_width);
  // A loop that slept longer than the horizon still visits each slot once.
  if (today >= current_ + slot_count) current_ = today - slot_count + 1;
  for (; current_ <= today; ++current_) {
    const std::size_t slot = current_ % slot_count;
    if ((occupied_[slot / 64] >> slot % 64 & 1) == 0) continue;
    occupied_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
    Timer* due = slots_[slot];
    slots_[slot] = nullptr;
    if (due != nullptr) due->link_ = &due;
    ++current_;  // what is laid while firing goes into a slot to come
    while (due != nullptr) {
      Timer& timer = *due;
      timer.unlink();
      if (timer.deadline_ == never) continue;
      if (timer.deadline_ > now) {
        lay(timer);
        continue;
      }
      timer.deadline_ = never;
      timer.expired();
    }
    --current_;
  }
}

Instant TimerWheel::next_look() const {
  for (std::size_t ahead = 0; ahead < slot_count;) {
    const std::size_t slot = (current_ + ahead) % slot_count;
    const std::uint64_t word = occupied_[slot / 64] >> slot % 64;
    if (word != 0) {
      const std::uint64_t tick = current_ + ahead + static_cast<unsigned>(std::countr_zero(word));
      return start_ + slot_width * static_cast<std::int64_t>(tick);
    }
    ahead += 64 - slot % 64;
  }
  return never;
}

}  // namespace steelyard::io
