#include "proxy/connection_gate.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"

namespace steelyard::proxy {

bool ConnectionGate::try_enter() {
  const std::lock_guard hold(lock_);
  if (!may_enter()) return false;
  ++taken_;
  return true;
}

std::optional<ConnectionGate::Ticket> ConnectionGate::enter_or_queue(Grant grant) {
  const std::lock_guard hold(lock_);
  if (may_enter()) {
    ++taken_;
    return std::nullopt;
  }
  waiting_.push_back({next_ticket_, std::move(grant)});
  return next_ticket_++;
}

bool ConnectionGate::leave_queue(Ticket ticket) {
  const std::lock_guard hold(lock_);
  const auto at = std::ranges::find(waiting_, ticket, &Waiting::ticket);
  if (at == waiting_.end()) return false;
  waiting_.erase(at);
  return true;
}

void ConnectionGate::leave() {
  Grant grant;
  {
    const std::lock_guard hold(lock_);
    CHECK(taken_ > 0);
    if (waiting_.empty() || taken_ > slots_) {
      --taken_;
      return;
    }
    grant = hand_over();
  }
  grant();
}

ConnectionGate::Grant ConnectionGate::hand_over() {
  Grant grant = std::move(waiting_.front().grant);
  waiting_.pop_front();
  return grant;
}

bool ConnectionGate::anyone_waits() const {
  const std::lock_guard hold(lock_);
  return !waiting_.empty();
}

std::size_t ConnectionGate::waiting() const {
  const std::lock_guard hold(lock_);
  return waiting_.size();
}

void ConnectionGate::count_helped(std::int64_t change) {
  const std::lock_guard hold(lock_);
  helped_ += change;
}

std::size_t ConnectionGate::helped() const {
  const std::lock_guard hold(lock_);
  return static_cast<std::size_t>(helped_);
}

bool ConnectionGate::anyone_waits_in_vain() const {
  const std::lock_guard hold(lock_);
  return static_cast<std::int64_t>(waiting_.size()) > helped_;
}

void ConnectionGate::set_slots(std::uint32_t slots) {
  std::vector<Grant> grants;
  {
    const std::lock_guard hold(lock_);
    slots_ = slots;
    for (; taken_ < slots_ && !waiting_.empty(); ++taken_) grants.push_back(hand_over());
  }
  for (const Grant& grant : grants) grant();
}

std::shared_ptr<ConnectionGate> GateRegistry::gate_of(const balance::Member& member,
                                                      std::uint32_t slots) {
  const std::lock_guard hold(lock_);
  std::erase_if(gates_, [](const auto& entry) { return entry.second.expired(); });
  auto gate = gates_[&member].lock();
  if (gate) {
    gate->set_slots(slots);
  } else {
    gate = std::make_shared<ConnectionGate>(slots);
    gates_[&member] = gate;
  }
  return gate;
}

std::shared_ptr<const ConnectionGate> GateRegistry::find(const balance::Member& member) const {
  const std::lock_guard hold(lock_);
  const auto found = gates_.find(&member);
  return found == gates_.end() ? nullptr : found->second.lock();
}

}  // namespace steelyard::proxy
