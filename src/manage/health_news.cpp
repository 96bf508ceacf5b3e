#include "manage/health_news.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "balance/health_changes.hpp"
#include "base/text.hpp"

namespace steelyard::manage {

namespace {

using balance::HealthEvent;

// The same row of a log, which may have been counted up since.
bool is_same_row(const HealthEvent& one, const HealthEvent& other) {
  return one.first == other.first && one.cause == other.cause && one.before == other.before &&
         one.after == other.after;
}

std::uint32_t told_times(const std::vector<HealthEvent>& told, const HealthEvent& event) {
  const auto found = std::ranges::find_if(
      told, [&event](const HealthEvent& each) { return is_same_row(each, event); });
  return found == told.end() ? 0 : found->times;
}

}  // namespace

std::string news_text(const HealthEvent& event, std::uint32_t times) {
  std::string text(trim(balance::display_text(event.before)));
  if (event.after != event.before)
    text += fmt::format(" -> {}", trim(balance::display_text(event.after)));
  text += fmt::format(": {}", balance::to_text(event.cause));
  if (!event.evidence.text.empty()) text += ": " + event.evidence.text;
  if (event.evidence.status != 0) text += fmt::format(" (status {})", event.evidence.status);
  if (event.evidence.latency != Duration::zero()) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    text += fmt::format(", after {:.3g} ms", Milliseconds(event.evidence.latency).count());
  }
  if (times > 1) text += fmt::format(" ({} times)", times);
  return text;
}

void HealthNews::adopt(std::shared_ptr<const proxy::Generation> generation) {
  generation_ = std::move(generation);
  balancers_ = name_balancers(*generation_);
  for (NamedBalancer& direct : name_direct_backends(*generation_))
    balancers_.push_back(std::move(direct));
  changes_ = UINT64_MAX;  // members may have brought something
  look();
  arm(loop_.timers(), loop_.now() + interval);
}

void HealthNews::expired() {
  look();
  arm(loop_.timers(), loop_.now() + interval);
}

// What changes while it looks is seen the next time.
void HealthNews::look() {
  const std::uint64_t changes = balance::health_changes();
  if (changes == std::exchange(changes_, changes)) return;
  ++looks_;
  for (const NamedBalancer& balancer : balancers_) look_at(balancer);
  std::erase_if(told_, [this](const auto& each) { return each.second.seen != looks_; });
}

void HealthNews::look_at(const NamedBalancer& balancer) {
  for (const balance::MemberView& view : balancer.state->members()) {
    std::vector<HealthEvent> events = view.member->health_log().events();
    if (events.empty()) continue;
    Told& told = told_[view.member.get()];
    told.member = view.member;
    told.seen = looks_;
    for (const HealthEvent& event : events) {
      const std::uint32_t before = told_times(told.events, event);
      if (event.times > before) tell(balancer, view.spec->name, event, event.times - before);
    }
    told.events = std::move(events);
  }
}

void HealthNews::tell(const NamedBalancer& balancer, const std::string& member,
                      const HealthEvent& event, std::uint32_t times) const {
  log_(*generation_->config().servers[balancer.server],
       fmt::format("{}: {}: {}", balancer.label, member, news_text(event, times)));
}

}  // namespace steelyard::manage
