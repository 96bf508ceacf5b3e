// Exit code 0: temporaries in a full expression with co_await are destroyed exactly once.
#include <coroutine>
#include <exception>
#include <string>

namespace {

int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
};

struct Aggregate {
  Counted counted;
  std::string text;
};

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

struct Later {
  static inline std::coroutine_handle<> parked;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { parked = handle; }
  void await_resume() const {}
};

Later use(Aggregate /*a*/) { return {}; }
template <class F>
Later call(F f) {
  f();
  return {};
}

Task run() {
  co_await use(Aggregate{Counted{}, std::string(64, 'x')});
  Counted captured;
  co_await call([captured] { (void)captured; });
}

}  // namespace

int main() {
  run();
  Later::parked.resume();
  Later::parked.resume();
  return alive == 0 ? 0 : 1;
}
