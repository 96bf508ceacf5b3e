// Carries out what an operator asks for: finds balancers and members by name, gives the orders and
// says what became of them. It knows nothing of sockets; who asks is a word for the log.
//
//   answer   {"ok": true, ...} or {"ok": false, "kind": "usage", "error": "...", "choices": [...]}
//
// Threads: the loop's.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/path_settings.hpp"
#include "io/loop.hpp"
#include "manage/change_desk.hpp"
#include "manage/chronicle.hpp"
#include "manage/control_request.hpp"
#include "manage/drain_watch.hpp"
#include "manage/naming.hpp"
#include "manage/operations.hpp"

namespace steelyard::manage {

// A drain that somebody waits for.
struct AwaitedDrain {
  std::shared_ptr<balance::Balancer> balancer;
  balance::MemberRef member;
  std::uint64_t number = 0;  // of the order
  Instant deadline = never;  // of the waiting
};

class ControlDesk {
 public:
  ControlDesk(ChangeDesk::Parts parts, Chronicle& chronicle);
  ControlDesk(const ControlDesk&) = delete;
  ControlDesk& operator=(const ControlDesk&) = delete;

  void adopt(const proxy::Generation& generation);

  // Somebody else ordered a drain: it may be over already.
  void look_after_drains() { watch_.look(); }

  // Answers are lines without their end. All commands but wait are done at once.
  std::string answer(const ControlRequest& request, std::string_view who);
  std::expected<AwaitedDrain, ControlFault> find_drain(const ControlRequest& request);
  // None: it is still under way.
  [[nodiscard]] std::optional<std::string> answer_when_over(const AwaitedDrain& awaited) const;

 private:
  struct Found {
    NamedBalancer balancer;
    balance::MemberView member;
  };
  using Answer = std::expected<std::string, ControlFault>;
  std::expected<Found, ControlFault> find(const ControlRequest& request) const;
  Answer list_members(const ControlRequest& request) const;
  [[nodiscard]] Answer tell_top(const ControlRequest& request) const;
  Answer order_drain(const ControlRequest& request, std::string_view who);
  Answer undrain(const ControlRequest& request, std::string_view who);
  Answer tell_history(const ControlRequest& request) const;
  Answer set(const ControlRequest& request, std::string_view who);
  [[nodiscard]] Answer tell_member(const ControlRequest& request) const;
  [[nodiscard]] Moment moment() const { return {.now = loop_.now(), .wall = loop_.wall_now()}; }

  io::Loop& loop_;
  const ChangeDesk::Parts parts_;
  Chronicle& chronicle_;
  std::vector<NamedBalancer> balancers_;
  DrainWatch watch_;
  const Operations operations_;
  ChangeDesk changes_;
};

}  // namespace steelyard::manage
