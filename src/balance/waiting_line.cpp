#include "balance/waiting_line.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace steelyard::balance {

WaitingLine::~WaitingLine() { CHECK(front_ == nullptr); }

// Who went to a member that had yet to show that it lives called nobody. What became of that is
// known now.
WaitingLine::Place::~Place() {
  const std::lock_guard guard(line_.lock_);
  if (state_ == State::in_line) line_.leave(*this);
  if (state_ == State::trying) line_.call_front();
}

bool WaitingLine::Place::step_in(std::size_t most) {
  const std::lock_guard guard(line_.lock_);
  CHECK(state_ == State::outside || state_ == State::trying);
  if (ticket_ == 0) ticket_ = ++line_.tickets_;
  if (line_.waiting_.load() >= most) {
    ++line_.counters_.turned_away;
    Place* const last = line_.last_;
    if (last == nullptr || last->ticket_ < ticket_) {
      if (std::exchange(state_, State::pushed_out) == State::trying) line_.call_front();
      return false;
    }
    line_.remove(*last);
    last->state_ = State::pushed_out;
    call(*last);
  }
  state_ = State::in_line;
  line_.insert(*this);
  return true;
}

WaitingLine::Standing WaitingLine::Place::look() {
  const std::lock_guard guard(line_.lock_);
  told_ = false;
  if (state_ == State::pushed_out) return Standing::pushed_out;
  CHECK(state_ == State::in_line);
  return line_.front_ == this ? Standing::front : Standing::behind;
}

void WaitingLine::Place::step_out(Next next) {
  const std::lock_guard guard(line_.lock_);
  // Pushed out between its look and now, by one of another thread: it has its member all the same.
  if (state_ == State::in_line) {
    if (next == Next::called) {
      line_.leave(*this);
    } else {
      line_.remove(*this);
    }
  }
  state_ = next == Next::called ? State::outside : State::trying;
  if (!std::exchange(served_, true)) ++line_.counters_.served;
}

void WaitingLine::Place::give_up() {
  const std::lock_guard guard(line_.lock_);
  if (state_ == State::pushed_out) return;
  const State before = std::exchange(state_, State::outside);
  if (before == State::in_line) line_.leave(*this);
  if (before == State::trying) line_.call_front();
  ++line_.counters_.timed_out;
}

void WaitingLine::stir_front() {
  const std::lock_guard guard(lock_);
  call_front();
}

void WaitingLine::call(Place& place) {
  if (!std::exchange(place.told_, true)) place.wake_();
}

void WaitingLine::call_front() {
  if (front_ != nullptr) call(*front_);
}

// Newcomers stand last; who comes back is among the oldest.
void WaitingLine::insert(Place& place) {
  Place* behind = front_;
  if (last_ != nullptr && last_->ticket_ < place.ticket_) behind = nullptr;
  while (behind != nullptr && behind->ticket_ < place.ticket_) behind = behind->behind_;
  Place* const before = behind != nullptr ? behind->before_ : last_;
  place.before_ = before;
  place.behind_ = behind;
  (before != nullptr ? before->behind_ : front_) = &place;
  (behind != nullptr ? behind->before_ : last_) = &place;
  place.told_ = false;
  const std::size_t waiting = waiting_.load() + 1;
  waiting_.store(waiting);
  counters_.longest = std::max(counters_.longest, waiting);
}

void WaitingLine::remove(Place& place) {
  (place.before_ != nullptr ? place.before_->behind_ : front_) = place.behind_;
  (place.behind_ != nullptr ? place.behind_->before_ : last_) = place.before_;
  place.before_ = place.behind_ = nullptr;
  waiting_.store(waiting_.load() - 1);
}

void WaitingLine::leave(Place& place) {
  const bool was_front = front_ == &place;
  remove(place);
  if (was_front) call_front();
}

LineCounters WaitingLine::counters() const {
  const std::lock_guard guard(lock_);
  LineCounters counters = counters_;
  counters.waiting = waiting_.load();
  return counters;
}

}  // namespace steelyard::balance
