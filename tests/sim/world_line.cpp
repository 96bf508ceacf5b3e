// Waiting for a member (queue=), step for step as the proxy's LineWait does it, with the balancer's
// own line. Calls and times that end are events.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "exchange.hpp"

namespace steelyard::sim {

namespace {

using balance::Attempt;
using balance::Outcome;
using balance::WaitingLine;

constexpr Duration pause = std::chrono::milliseconds(100);  // line_pause of proxy/limits.hpp
constexpr double rounding = 1e-6;                           // of an Instant to seconds

bool waits_in_line(const balance::Decision& decision) {
  const Outcome outcome = decision.outcome;
  return decision.lines_up && (outcome == Outcome::none_usable || outcome == Outcome::all_full ||
                               outcome == Outcome::others_wait);
}

}  // namespace

// Picks until a member has it, it waits, or nobody takes it.
void World::seek(const Shared& exchange) {
  Exchange& x = *exchange;
  while (true) {
    if (x.lines_up) x.leases.clear();
    if (x.used_up) return stand(exchange);
    const Attempt attempt = x.place == nullptr ? Attempt::request
                            : x.is_over        ? Attempt::last_chance
                                               : Attempt::in_line;
    balance::Decision decision = choose(x, attempt);
    x.lines_up = decision.lines_up;
    if (waits_in_line(decision)) return stand(exchange);
    if (!decision.lease) return refuse(x, &Refused::otherwise);
    if (settles(exchange, std::move(decision))) return;
  }
}

void World::stand(const Shared& exchange) {
  Exchange& x = *exchange;
  x.leases.clear();
  x.tried.clear();
  x.attempts = 1;
  x.used_up = false;
  if (x.place == nullptr) {
    const std::weak_ptr<Exchange> called = exchange;
    x.place = std::make_unique<WaitingLine::Place>(balancer_->line(), [this, called] {
      after(0, [this, called] {
        const Shared one = called.lock();
        if (one != nullptr && std::exchange(one->is_asleep, false)) look_around(one);
      });
    });
    x.ticket = ++tickets_;
    x.stood_since = now_;
  }
  const auto queue = balancer_->queue();
  if (x.deadline == never && queue) x.deadline = instant() + queue->time_max;
  if (x.is_over || !queue) {
    x.place->give_up();
    return refuse(x, &Refused::timed_out);
  }
  if (!x.place->step_in(static_cast<std::size_t>(queue->requests_max)))
    return refuse(x, &Refused::turned_away);
  in_line_[x.ticket] = exchange;
  must(balancer_->line().counters().waiting <= static_cast<std::size_t>(queue->requests_max),
       "the line is longer than its bound");
  x.not_before = x.comes_back ? instant() + pause : instant();
  x.comes_back = true;
  look_around(exchange);
}

void World::look_around(const Shared& exchange) {
  Exchange& x = *exchange;
  const auto standing = x.place->look();
  if (standing == WaitingLine::Standing::pushed_out) {
    leave_line(x);
    return refuse(x, &Refused::turned_away);
  }
  const bool is_front = standing == WaitingLine::Standing::front;
  must(is_front == (in_line_.begin()->second == exchange), "the front is not who came first");
  const Instant now = instant();
  const bool is_due = now >= x.deadline;
  Instant next_retry = never;
  if (is_due && (is_front || now >= x.deadline + pause)) {
    x.is_over = true;
    if (asks(exchange, Attempt::last_chance, next_retry)) return;
    x.place->give_up();
    leave_line(x);
    return refuse(x, &Refused::timed_out);
  }
  Instant until = is_due ? x.deadline + pause : x.deadline;
  if (is_front && now < x.not_before) {
    until = std::min(until, x.not_before);
  } else if (is_front) {
    if (asks(exchange, Attempt::in_line, next_retry)) return;
    until = std::min(until, next_retry);
  }
  sleep(exchange, until);
}

// True when there is nothing to wait for any more.
bool World::asks(const Shared& exchange, Attempt attempt, Instant& next_retry) {
  Exchange& x = *exchange;
  balance::Decision decision = choose(x, attempt);
  next_retry = decision.next_retry;
  if (waits_in_line(decision)) return false;
  if (!decision.lease) {
    leave_line(x);
    refuse(x, &Refused::otherwise);
    return true;
  }
  must(x.is_over || in_line_.begin()->second == exchange, "one of the line overtook another");
  const bool is_unproven = !decision.lease.is_trial() && decision.lease.member().blemished();
  x.place->step_out(is_unproven ? WaitingLine::Next::waits_for_outcome : WaitingLine::Next::called);
  leave_line(x);
  if (!settles(exchange, std::move(decision))) seek(exchange);
  return true;
}

void World::sleep(const Shared& exchange, Instant until) {
  exchange->is_asleep = true;
  const std::uint64_t which = ++exchange->sleeps;
  const std::weak_ptr<Exchange> sleeper = exchange;
  const std::chrono::duration<double> lasts = until - instant();
  after(std::max(lasts.count(), 0.0) + rounding, [this, sleeper, which] {
    const Shared one = sleeper.lock();
    if (one == nullptr || one->sleeps != which || !std::exchange(one->is_asleep, false)) return;
    look_around(one);
  });
}

void World::leave_line(Exchange& exchange) {
  if (on_waited) on_waited(now_ - exchange.stood_since);
  in_line_.erase(exchange.ticket);
}

// Called when everything that happens at a moment has happened. Where errors are on record, the
// first of the line may be on its way to find out about them.
void World::check_line() {
  if (in_line_.empty() || instant() < in_line_.begin()->second->not_before) return;
  for (const balance::MemberRef& member : refs_) {
    if (!member->usable() || member->blemished()) return;
  }
  for (std::size_t at = 0; at < refs_.size(); ++at) {
    const int limit = specs_[at].pool.connections_max.value_or(0);
    const bool takes_turns =
        !specs_[at].status.any(balance::Flag::standby | balance::Flag::spare) &&
        specs_[at].lbset == 0 && !refs_[at]->status().has(balance::Flag::draining);
    must(!takes_turns || (limit != 0 && refs_[at]->busy() >= limit), "they wait for nothing");
  }
}

}  // namespace steelyard::sim
