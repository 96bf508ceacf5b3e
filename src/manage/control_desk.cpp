#include "manage/control_desk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "balance/editable.hpp"
#include "manage/control_answers.hpp"
#include "manage/live_rows.hpp"

namespace steelyard::manage {

namespace {

using balance::Drains;
using balance::DrainState;
using balance::Status;
using Command = ControlRequest::Command;

std::unexpected<ControlFault> refuse(std::string text) {
  return std::unexpected(
      ControlFault{.kind = ControlFault::Kind::refused, .text = std::move(text)});
}

}  // namespace

ControlDesk::ControlDesk(ChangeDesk::Parts parts, Chronicle& chronicle)
    : loop_(parts.loop),
      parts_(std::move(parts)),
      chronicle_(chronicle),
      watch_(loop_,
             [this](const NamedBalancer& balancer, const Drains::Ended& ended) {
               parts_.log(
                   config::LogLevel::notice,
                   fmt::format("drain of {} in {} is over: {} ({})", ended.member->name(),
                               balancer.label, to_text(ended.drain.state), ended.drain.outcome));
               parts_.book.catch_up({balancer}, moment());
             }),
      operations_({.loop = loop_,
                   .book = parts_.book,
                   .members_changed = parts_.members_changed,
                   .drain_ordered = [this] { watch_.look(); }}),
      changes_(parts_, operations_) {}

void ControlDesk::adopt(const proxy::Generation& generation) {
  balancers_ = name_balancers(generation);
  changes_.adopt(generation, balancers_);
  parts_.book.catch_up(balancers_, moment());
  watch_.adopt(balancers_);
}

std::string ControlDesk::answer(const ControlRequest& request, std::string_view who) {
  const Answer answer = [&]() -> Answer {
    switch (request.command) {
      case Command::members:
        return list_members(request);
      case Command::top:
        return tell_top(request);
      case Command::drain:
        return order_drain(request, who);
      case Command::undrain:
        return undrain(request, who);
      case Command::set:
        return set(request, who);
      case Command::add:
        return changes_.add(request, who);
      case Command::remove:
        return changes_.remove(request, who);
      case Command::history:
        return tell_history(request);
      case Command::changes:
        return changes_.list_changes(request);
      case Command::undo:
        return changes_.undo(request, who);
      case Command::export_text:
        return changes_.export_text(request);
      case Command::generations:
        return changes_.list_generations();
      case Command::cluster:
        return changes_.show_cluster();
      case Command::wait:
        break;
    }
    return refuse("waiting is not done at once");
  }();
  return answer ? *answer : fault_answer(answer.error());
}

std::expected<ControlDesk::Found, ControlFault> ControlDesk::find(
    const ControlRequest& request) const {
  auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(std::move(balancer.error()));
  auto member = find_member(*balancer, request.member);
  if (!member) return std::unexpected(std::move(member.error()));
  return Found{.balancer = std::move(*balancer), .member = std::move(*member)};
}

ControlDesk::Answer ControlDesk::list_members(const ControlRequest& request) const {
  const Moment moment = this->moment();
  if (request.balancer.empty()) return members_answer(balancers_, changes_.troubles(), moment);
  const auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(balancer.error());
  return members_answer({*balancer}, changes_.troubles(), moment);
}

ControlDesk::Answer ControlDesk::tell_top(const ControlRequest& request) const {
  std::vector<NamedBalancer> wanted = balancers_;
  if (!request.balancer.empty()) {
    auto balancer = find_balancer(balancers_, request.balancer);
    if (!balancer) return std::unexpected(std::move(balancer.error()));
    wanted = {std::move(*balancer)};
  }
  chronicle_.look();
  ApiJson rows = ApiJson::array();
  for (LiveRow& row : live_rows(wanted, chronicle_, moment()))
    rows.push_back(std::move(row.fields));
  const ApiJson object{{"ok", true},
                       {"at", milliseconds_of(moment(), loop_.now())},
                       {"troubles", changes_.troubles()},
                       {"rows", std::move(rows)}};
  return object.dump(-1, ' ', false, ApiJson::error_handler_t::replace);
}

ControlDesk::Answer ControlDesk::order_drain(const ControlRequest& request, std::string_view who) {
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto by = changes_.by(request, who);
  const auto done = operations_.drain(found->balancer, found->member, request.drain, by);
  if (!done) return refuse(done.error().text);
  // With nobody there it is over already.
  return tell_member(request);
}

ControlDesk::Answer ControlDesk::undrain(const ControlRequest& request, std::string_view who) {
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto by = changes_.by(request, who);
  const auto done = operations_.undrain(found->balancer, found->member, by);
  if (!done) return refuse(done.error().text);
  if (!*done) return nothing_changed(found->member.spec->name + " is not drained");
  return tell_member(request);
}

ControlDesk::Answer ControlDesk::tell_member(const ControlRequest& request) const {
  const auto found = find(request);
  if (!found) return std::unexpected(found.error());
  return member_answer(found->balancer, found->member, moment());
}

// One order, so that all of it is made or nothing. What was found out about a member (E and C) is
// no wish of anybody's: it is forgotten behind that, and nowhere kept.
ControlDesk::Answer ControlDesk::set(const ControlRequest& request, std::string_view who) {
  const auto& [set, clear] = request.change;
  if (set == Status{} && clear == Status{}) return changes_.set_fields(request, who);
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  ControlRequest whole = request;
  const Status wish = found->member.status.with(set).without(clear).only(balance::operator_flags);
  whole.fields.push_back({"status", letters_of(wish)});
  Answer changed = changes_.set_fields(whole, who);
  if (!changed) return changed;
  const auto said = operations_.say_finding(found->balancer, found->member, request.change,
                                            changes_.by(request, who));
  if (!said) return refuse(said.error().text);
  return request.fields.empty() ? tell_member(request) : changed;
}

ControlDesk::Answer ControlDesk::tell_history(const ControlRequest& request) const {
  const auto found = find(request);
  if (!found) return std::unexpected(found.error());
  return history_answer(found->member.member->health_log().events(),
                        {.now = loop_.now(), .wall = loop_.wall_now()});
}

std::expected<AwaitedDrain, ControlFault> ControlDesk::find_drain(const ControlRequest& request) {
  const auto found = find(request);
  if (!found) return std::unexpected(found.error());
  const auto& drain = found->member.drain;
  if (!drain) return refuse("no drain of " + found->member.spec->name + " was ordered");
  if (drain->state == DrainState::under_way && !drain->order.has_end()) {
    return refuse("the drain of " + found->member.spec->name +
                  " has no end: order it with a deadline or a number of sessions");
  }
  return AwaitedDrain{.balancer = found->balancer.state,
                      .member = found->member.member,
                      .number = drain->number,
                      .deadline = request.timeout ? loop_.now() + *request.timeout : never};
}

std::optional<std::string> ControlDesk::answer_when_over(const AwaitedDrain& awaited) const {
  // Nobody looks after the drains of a balancer that a reload took.
  if (std::ranges::find(balancers_, awaited.balancer, &NamedBalancer::state) == balancers_.end())
    return wait_answer("cancelled", "the balancer is gone");
  const auto drain = Drains(*awaited.balancer).of(awaited.member);
  if (!drain || drain->number != awaited.number)
    return wait_answer("cancelled", "another drain was ordered");
  if (drain->state != DrainState::under_way)
    return wait_answer(word_of(drain->state), drain->outcome);
  if (loop_.now() >= awaited.deadline) return wait_answer("timed_out", "the drain goes on");
  return std::nullopt;
}

}  // namespace steelyard::manage
