#pragma once

#include <coroutine>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "io/dialer.hpp"
#include "io/loop.hpp"

// A name server that the test plays: it answers in a turn of its own what it was told to, or keeps
// silent until answer_all().
//
// Threads: one.

namespace steelyard::io {

class SimResolver final : public Resolver {
 public:
  explicit SimResolver(Loop& loop) : loop_(loop) {}

  void set(const std::string& name, NameReply reply) { replies_[name] = std::move(reply); }
  void fail(const std::string& name, std::string fault) {
    NameReply reply;
    reply.fault = std::move(fault);
    set(name, std::move(reply));
  }
  bool silent = false;
  int questions(const std::string& name) const {
    const auto found = asked_.find(name);
    return found == asked_.end() ? 0 : found->second;
  }

  Task<NameReply> ask(std::string name, NameQuestion /*question*/) override {
    ++asked_[name];
    co_await Silence{*this};
    co_return replies_[name];
  }
  Task<std::string> name_of(IpAddress /*address*/) override { co_return std::string(); }
  void answer_all() {
    silent = false;
    for (auto& asker : std::exchange(waiting_, {})) {
      if (*asker) std::exchange(*asker, nullptr).resume();
    }
  }

 private:
  using Asker = std::shared_ptr<std::coroutine_handle<>>;
  struct Silence {
    SimResolver& resolver;
    Asker asker{};
    explicit Silence(SimResolver& asked) : resolver(asked) {}
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() {
      if (asker) *asker = nullptr;
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      asker = std::make_shared<std::coroutine_handle<>>(handle);
      resolver.waiting_.push_back(asker);
      if (!resolver.silent) resolver.loop_.post([&self = resolver] { self.answer_all_if_heard(); });
    }
    void await_resume() {}
  };
  void answer_all_if_heard() {
    if (!silent) answer_all();
  }

  Loop& loop_;
  std::map<std::string, NameReply> replies_;
  std::map<std::string, int> asked_;
  std::deque<Asker> waiting_;
};

}  // namespace steelyard::io
