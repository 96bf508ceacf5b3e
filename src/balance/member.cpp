#include "balance/member.hpp"

#include <algorithm>
#include <utility>

namespace steelyard::balance {

namespace {

std::string authority_of(const MemberSpec& spec) {
  const bool v6 = spec.host.find(':') != std::string::npos;
  const std::string host = v6 ? '[' + spec.host + ']' : spec.host;
  return spec.port == 80 ? host : host + ':' + std::to_string(spec.port);
}

}  // namespace

Member::Member(const MemberSpec& spec, std::shared_ptr<CounterBlock> block, std::size_t cell,
               std::shared_ptr<Commons> commons)
    : name_(spec.name),
      address_(spec.address ? Endpoint{*spec.address, spec.port}.text()
                            : spec.host + ':' + std::to_string(spec.port)),
      authority_(authority_of(spec)),
      busy_(&block->busy[cell]),
      traffic_(&block->traffic[cell]),
      latency_(&block->latency[cell]),
      spec_(std::make_shared<const MemberSpec>(spec)),
      block_(std::move(block)),
      commons_(std::move(commons)) {}

Member::~Member() { delete latency_window(); }

void Member::measure_windows() {
  if (latency_window() != nullptr) return;
  latency_window_.store(new LatencyWindow, std::memory_order_release);
}

void Member::release() {
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

// The caller holds the balancer's lock, so no lease begins any more.
void Member::retire() {
  retired_.store(true, std::memory_order_release);
  if (busy_->fetch_add(retired_mark, std::memory_order_acq_rel) == 0) release();
}

// Leases begin only under the balancer's lock, which the caller holds: when none is live, nobody
// can see an older configuration any more. One that comes again is the one that was there: a name's
// answers may go from weight to weight for ever while the member is never idle.
void Member::adopt(const MemberSpec& spec) {
  const bool unseen = busy() == 0;
  if (*spec_ != spec) {
    const auto again =
        std::ranges::find_if(past_specs_, [&](const auto& past) { return *past == spec; });
    if (again != past_specs_.end()) {
      std::swap(spec_, *again);
    } else {
      past_specs_.push_back(std::exchange(spec_, std::make_shared<const MemberSpec>(spec)));
    }
  }
  if (unseen) past_specs_.clear();
}

}  // namespace steelyard::balance
