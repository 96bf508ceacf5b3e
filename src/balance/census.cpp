#include "balance/census.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "base/sip_hash.hpp"

namespace steelyard::balance {

namespace {

constexpr std::size_t slots_first = 64;
// 65,536 values fill half of it: chains stay short.
constexpr std::size_t slots_last = 2 * Census::tokens_max;
// A table of the last size has nothing to grow into, so each new value would ask for a sweep. One
// takes about half a millisecond.
constexpr Duration sweep_interval = std::chrono::seconds(10);

constexpr std::size_t tokens_in(std::size_t slots) {
  return slots == slots_last ? Census::tokens_max : slots / 4 * 3;
}

SipKey drawn_key() {
  std::random_device source;
  const auto word = [&source] { return (std::uint64_t{source()} << 32) | source(); };
  const std::uint64_t first = word();
  return {.first = first, .second = word()};
}

std::uint32_t ticks_in(Duration window) {
  return static_cast<std::uint32_t>(std::min(window, Census::window_max) / Census::tick);
}

}  // namespace

std::uint64_t session_token(std::string_view value) {
  static const SipKey key = drawn_key();
  return sip_hash(key, value);
}

Census::Tick Census::tick_of(Instant now) {
  return static_cast<Tick>(now.time_since_epoch() / tick) + 1;
}

// The other way round when a thread's clock is behind: then it was seen just now.
bool Census::within(Tick seen, Tick window, Tick now) {
  return seen != 0 && (seen >= now || now - seen <= window);
}

void Census::note(std::uint64_t token, Instant now) {
  const Tick tick_now = tick_of(now);
  if (slots_.empty()) slots_.resize(slots_first);
  Slot* slot = &slot_for(token);
  if (slot->seen == 0) {
    if (used_ >= tokens_in(slots_.size())) {
      if (!make_room(tick_now)) {
        last_missed_ = std::max(last_missed_, tick_now);
        return;
      }
      slot = &slot_for(token);
    }
    ++used_;
    slot->token = token;
  }
  slot->seen = std::max(slot->seen, tick_now);
}

// Where the token is, or the empty slot where it would be. There always is an empty one.
Census::Slot& Census::slot_for(std::uint64_t token) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = token & mask;
  while (slots_[at].seen != 0 && slots_[at].token != token) at = (at + 1) & mask;
  return slots_[at];
}

bool Census::make_room(Tick now) {
  const std::size_t room = tokens_in(slots_.size());
  if (slots_.size() == slots_last) {
    if (now < next_sweep_) return false;
    next_sweep_ = now + ticks_in(sweep_interval);
    sweep(now);
    return used_ < room;
  }
  sweep(now);
  // Sweeping again soon would cost more than the larger table.
  if (used_ > room / 2) grow();
  return true;
}

// From behind an empty slot on, each value is taken out and laid again. On its way from its home
// all slots were dealt with before, so it never meets one that was not, and lands where it was at
// the latest.
void Census::sweep(Tick now) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t start = 0;
  while (slots_[start].seen != 0) ++start;
  const Tick window = ticks_in(window_max);
  for (std::size_t step = 1; step <= mask; ++step) {
    const Slot slot = std::exchange(slots_[(start + step) & mask], Slot{});
    if (slot.seen == 0) continue;
    if (within(slot.seen, window, now)) {
      slot_for(slot.token) = slot;
    } else {
      --used_;
    }
  }
}

void Census::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const Slot& slot : old) {
    if (slot.seen != 0) slot_for(slot.token) = slot;
  }
}

SessionCount Census::without_sessions(Duration window, Instant now) const {
  return {.sessions = 0,
          .at_least = within(last_missed_, ticks_in(window), tick_of(now)),
          .whole = began_ == Instant::min() || now - began_ >= window};
}

SessionCount Census::count(Duration window, Instant now) const {
  return count_up_to(UINT32_MAX, window, now);
}

SessionCount Census::count_up_to(std::uint32_t limit, Duration window, Instant now) const {
  SessionCount result = without_sessions(window, now);
  const Tick tick_now = tick_of(now);
  const Tick ticks = ticks_in(window);
  for (const Slot& slot : slots_) {
    if (!within(slot.seen, ticks, tick_now)) continue;
    if (++result.sessions > limit) break;
  }
  return result;
}

std::array<SessionCount, Census::windows.size()> Census::counts(Instant now) const {
  std::array<SessionCount, windows.size()> result;
  for (std::size_t i = 0; i < windows.size(); ++i) result[i] = without_sessions(windows[i], now);
  const Tick tick_now = tick_of(now);
  for (const Slot& slot : slots_) {
    for (std::size_t i = windows.size(); i-- > 0;) {
      if (!within(slot.seen, ticks_in(windows[i]), tick_now)) break;
      ++result[i].sessions;
    }
  }
  return result;
}

}  // namespace steelyard::balance
