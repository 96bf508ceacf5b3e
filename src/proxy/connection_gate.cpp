#include "proxy/connection_gate.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace steelyard::proxy {

bool ConnectionGate::try_enter() {
  const std::lock_guard hold(lock_);
  if (taken_ >= slots_ || !waiting_.empty()) return false;
  ++taken_;
  return true;
}

ConnectionGate::Ticket ConnectionGate::queue(Grant grant) {
  const std::lock_guard hold(lock_);
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
    grant = std::move(waiting_.front().grant);
    waiting_.pop_front();
  }
  grant();
}

bool ConnectionGate::anyone_waits() const {
  const std::lock_guard hold(lock_);
  return !waiting_.empty();
}

void ConnectionGate::set_slots(std::uint32_t slots) {
  const std::lock_guard hold(lock_);
  slots_ = slots;
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

}  // namespace steelyard::proxy
