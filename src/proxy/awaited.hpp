#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// An answer that a thread of its own gives to an exchange. Whoever asked may be gone before it is
// there: what was not begun by then need not be done.
//
// Threads: give() any, the rest the loop's.

namespace steelyard::proxy {

template <class Answer>
class Awaited {
 public:
  using Shared = std::shared_ptr<Awaited>;

  static Shared make(io::Loop& loop) { return std::make_shared<Awaited>(loop); }
  explicit Awaited(io::Loop& loop) : loop_(loop) {}

  static void give(const Shared& self, Answer answer) {
    self->loop_.post([self, answer = std::move(answer)]() mutable {
      self->answer_ = std::move(answer);
      if (self->wait_ != nullptr) self->wait_->wake(io::Woken::ready);
    });
  }

  // True once nobody waits any more.
  static std::shared_ptr<const std::atomic<bool>> given_up(const Shared& self) {
    return {self, &self->given_up_};
  }

  // Nothing: it took too long.
  static io::Task<std::optional<Answer>> wait(Shared self, io::WaitTimer& timer, Instant until) {
    io::Wait wait(timer, until);
    {
      const Asleep asleep(*self, wait);
      co_await wait;
    }
    co_return std::move(self->answer_);
  }

 private:
  class Asleep {
   public:
    Asleep(Awaited& awaited, io::Wait& wait) : awaited_(awaited) { awaited_.wait_ = &wait; }
    Asleep(const Asleep&) = delete;
    Asleep& operator=(const Asleep&) = delete;
    ~Asleep() {
      awaited_.wait_ = nullptr;
      awaited_.given_up_ = true;
    }

   private:
    Awaited& awaited_;
  };

  io::Loop& loop_;
  io::Wait* wait_ = nullptr;
  std::optional<Answer> answer_{};
  std::atomic<bool> given_up_{false};
};

}  // namespace steelyard::proxy
