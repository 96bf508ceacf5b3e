#include "manage/chronicle.hpp"

#include <algorithm>
#include <utility>

#include "balance/waiting_line.hpp"

namespace steelyard::manage {

namespace {

// Requests that the balancer had no member for, whether they waited or not.
std::uint64_t refused_by(balance::Balancer& balancer) {
  const balance::LineCounters line = balancer.line().counters();
  std::uint64_t sum = line.turned_away + line.timed_out;
  for (std::size_t i = 1; i < balance::outcome_count; ++i)
    sum += balancer.refusals().of(static_cast<balance::Outcome>(i));
  return sum;
}

const Story& empty_story() {
  static const Story empty;
  return empty;
}

}  // namespace

void Chronicle::adopt(const proxy::Generation& generation) {
  balancers_ = name_balancers(generation);
  // At once: while somebody holds a balancer, shards keep the connections of its members.
  std::erase_if(notes_, [this](const auto& each) {
    return std::ranges::find(balancers_, each.second.balancer, &NamedBalancer::state) ==
           balancers_.end();
  });
  if (step_ends_ == Instant::min()) {
    last_look_ = loop_.now();
    step_ends_ = loop_.now() + Story::step_length;
    arm(loop_.timers(), step_ends_);
    for (const NamedBalancer& balancer : balancers_) look_at(balancer, Duration(0));
    return;
  }
  look();
}

void Chronicle::expired() {
  look();
  arm(loop_.timers(), step_ends_);
}

void Chronicle::look() {
  const Duration span = loop_.now() - last_look_;
  const bool step_is_over = loop_.now() >= step_ends_;
  if (span < look_apart && !step_is_over) return;
  last_look_ = loop_.now();
  ++looks_;
  for (const NamedBalancer& balancer : balancers_) look_at(balancer, span);
  std::erase_if(members_, [this](const auto& each) { return each.second.seen != looks_; });
  std::erase_if(notes_, [this](const auto& each) { return each.second.seen != looks_; });
  if (step_is_over) end_step();
}

void Chronicle::look_at(const NamedBalancer& balancer, Duration span) {
  BalancerNotes& notes = notes_[balancer.state.get()];
  if (notes.balancer == nullptr) notes.story.begin_with_empty(steps_);
  notes.balancer = balancer.state;
  notes.seen = looks_;
  notes.in_flight = 0;
  Amount sum;
  sum.span = span;
  for (const balance::MemberView& view : balancer.state->members()) {
    sum.add_beside(look_at(view, span));
    notes.in_flight += static_cast<std::uint32_t>(view.busy);
  }
  const std::uint64_t refused = refused_by(*balancer.state);
  sum.refused = static_cast<std::uint32_t>(refused - std::exchange(notes.refused, refused));
  if (span > Duration(0)) notes.story.add(sum);
}

Amount Chronicle::look_at(const balance::MemberView& view, Duration span) {
  MemberNotes& notes = members_[view.member.get()];
  notes.member = view.member;
  notes.seen = looks_;
  notes.in_flight = static_cast<std::uint32_t>(view.busy);
  proxy::MemberCells cells;
  group_.tallies.add_to(cells, *view.member);
  const Counts counts = Counts::of(view, cells);
  const Amount amount = Amount::since(notes.last, counts, span);
  notes.last = counts;
  if (notes.story == nullptr && !amount.is_empty()) {
    notes.story = std::make_unique<Story>();
    notes.story->begin_with_empty(steps_);
  }
  if (notes.story != nullptr && span > Duration(0)) notes.story->add(amount);
  return amount;
}

void Chronicle::end_step() {
  for (auto& [member, notes] : members_) {
    if (notes.story != nullptr) notes.story->end_step(notes.in_flight);
  }
  for (auto& [balancer, notes] : notes_) notes.story.end_step(notes.in_flight);
  ++steps_;
  step_ends_ += Story::step_length;
  // The machine slept: what happened is told as one long step.
  if (step_ends_ <= loop_.now()) step_ends_ = loop_.now() + Story::step_length;
}

const Story& Chronicle::of(const balance::Member& member) const {
  const auto found = members_.find(&member);
  const bool is_told = found != members_.end() && found->second.story != nullptr;
  return is_told ? *found->second.story : empty_story();
}

const Story& Chronicle::of(const balance::Balancer& balancer) const {
  const auto found = notes_.find(&balancer);
  return found != notes_.end() ? found->second.story : empty_story();
}

}  // namespace steelyard::manage
