#include "io/stream.hpp"

#include <utility>

#include "base/check.hpp"

namespace steelyard::io {

void Stream::became(bool readable, bool writable) {
  readable_ = readable_ || readable;
  writable_ = writable_ || writable;
  const bool wanted = (readable && waits_to_read_) || (writable && waits_to_write_);
  if (waiter_ != nullptr) {
    if (wanted) waiter_->wake(Woken::ready);
  } else if (idle_watcher_ != nullptr) {
    idle_watcher_->idle_stream_became(*this, readable, writable);
  }
}

void WaitTimer::expired() {
  if (wait_ != nullptr) wait_->wake(Woken::timed_out);
}

Wait& Wait::add(Stream& stream, Direction direction) {
  CHECK(count_ < std::size(conditions_));
  conditions_[count_++] = {&stream, direction};
  return *this;
}

bool Wait::await_ready() const {
  for (std::uint8_t i = 0; i < count_; ++i) {
    const Condition& c = conditions_[i];
    if (c.direction == Direction::read ? c.stream->readable_ : c.stream->writable_) return true;
  }
  return false;
}

void Wait::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  parked_ = true;
  for (std::uint8_t i = 0; i < count_; ++i) {
    const Condition& c = conditions_[i];
    CHECK(c.stream->waiter_ == nullptr || c.stream->waiter_ == this);
    c.stream->waiter_ = this;
    (c.direction == Direction::read ? c.stream->waits_to_read_ : c.stream->waits_to_write_) = true;
  }
  timer_.wait_ = this;
  timer_.arm(*timer_.wheel_, deadline_);
}

void Wait::leave() {
  if (!parked_) return;
  parked_ = false;
  for (std::uint8_t i = 0; i < count_; ++i) {
    Stream& stream = *conditions_[i].stream;
    stream.waiter_ = nullptr;
    stream.waits_to_read_ = false;
    stream.waits_to_write_ = false;
  }
  timer_.wait_ = nullptr;
  timer_.disarm();
}

Woken Wait::await_resume() {
  leave();
  return how_;
}

void Wait::wake(Woken how) {
  how_ = how;
  leave();
  std::exchange(handle_, nullptr).resume();
}

}  // namespace steelyard::io
