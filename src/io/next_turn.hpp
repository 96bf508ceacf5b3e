#pragma once

#include <coroutine>
#include <memory>
#include <utility>

#include "io/loop.hpp"

// Lets others have their turn: the coroutine goes on when the loop has looked at all that happened
// meanwhile. For work that could go on for as long as both peers are fast.
//
//   co_await NextTurn(loop);
//
// Threads: the loop's.

namespace steelyard::io {

class [[nodiscard]] NextTurn {
 public:
  explicit NextTurn(Loop& loop) : loop_(loop) {}
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;
  // A coroutine that is cancelled while it waits is not resumed.
  ~NextTurn() {
    if (asker_) *asker_ = nullptr;
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    asker_ = std::make_shared<std::coroutine_handle<>>(handle);
    loop_.defer([asker = asker_] {
      if (*asker) std::exchange(*asker, nullptr).resume();
    });
  }
  void await_resume() {}

 private:
  Loop& loop_;
  std::shared_ptr<std::coroutine_handle<>> asker_;
};

}  // namespace steelyard::io
