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
using balance::Flag;
using balance::Status;
using Command = ControlRequest::Command;

std::unexpected<ControlFault> refuse(std::string text) {
  return std::unexpected(
      ControlFault{.kind = ControlFault::Kind::refused, .text = std::move(text)});
}

std::unexpected<ControlFault> refuse_gone() {
  return refuse("a reload has just taken the member away");
}

}  // namespace

ControlDesk::ControlDesk(ChangeDesk::Parts parts, Chronicle& chronicle)
    : loop_(parts.loop),
      parts_(std::move(parts)),
      chronicle_(chronicle),
      changes_(parts_),
      watch_(loop_, [this](const NamedBalancer& balancer, const Drains::Ended& ended) {
        parts_.log(config::LogLevel::notice,
                   fmt::format("drain of {} in {} is over: {} ({})", ended.member->name(),
                               balancer.label, to_text(ended.drain.state), ended.drain.outcome));
        parts_.book.catch_up({balancer}, moment());
      }) {}

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
  if (request.balancer.empty()) return members_answer(balancers_, moment);
  const auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(balancer.error());
  return members_answer({*balancer}, moment);
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
  const ApiJson object{
      {"ok", true}, {"at", milliseconds_of(moment(), loop_.now())}, {"rows", std::move(rows)}};
  return object.dump(-1, ' ', false, ApiJson::error_handler_t::replace);
}

ControlDesk::Answer ControlDesk::order_drain(const ControlRequest& request, std::string_view who) {
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  const Moment moment = this->moment();
  const balance::DrainOrder order = request.drain.order(moment.now);
  balance::Status wish = found->member.status.only(balance::operator_flags).with(Flag::draining);
  if (request.drain.kick) wish = wish.with(Flag::stopped);
  if (auto kept = keep_wish(*found, wish, request, who); !kept)
    return std::unexpected(std::move(kept.error()));
  if (!Drains(*found->balancer.state).order(found->member.member, order, moment.now))
    return refuse_gone();
  note(*found, who, "drain, " + order_text(order, moment));
  watch_.look();
  // Told as it is after that look: with nobody there it is over already.
  found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  return member_answer(found->balancer, found->member, moment);
}

ControlDesk::Answer ControlDesk::undrain(const ControlRequest& request, std::string_view who) {
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  const bool stopped_it = found->member.drain && found->member.drain->has_stopped_it;
  const balance::Status wish = found->member.status.only(balance::operator_flags)
                                   .without(Flag::draining)
                                   .without(stopped_it ? Flag::stopped : balance::Status());
  if (auto kept = keep_wish(*found, wish, request, who); !kept)
    return std::unexpected(std::move(kept.error()));
  if (!Drains(*found->balancer.state).undrain(found->member.member, loop_.now()))
    return refuse(found->member.spec->name + " is not drained");
  note(*found, who, "undrain");
  found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  return member_answer(found->balancer, found->member,
                       {.now = loop_.now(), .wall = loop_.wall_now()});
}

ControlDesk::Answer ControlDesk::set(const ControlRequest& request, std::string_view who) {
  const bool has_status = request.change.set != Status{} || request.change.clear != Status{};
  if (request.fields.empty()) return set_status(request, who);
  Answer changed = changes_.set_fields(request, who);
  return changed && has_status ? set_status(request, who) : changed;
}

std::expected<void, ControlFault> ControlDesk::keep_wish(const Found& found, Status wish,
                                                         const ControlRequest& request,
                                                         std::string_view who) {
  const auto author = author_on_socket(std::string(who), request.reason);
  auto kept = parts_.book.keep_wish(found.balancer, found.member, wish, author, moment());
  if (!kept) return refuse(std::move(kept.error()));
  return {};
}

ControlDesk::Answer ControlDesk::set_status(const ControlRequest& request, std::string_view who) {
  auto found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto& [set, clear] = request.change;
  const Status wish = found->member.status.with(set).without(clear).only(balance::operator_flags);
  if (auto kept = keep_wish(*found, wish, request, who); !kept)
    return std::unexpected(std::move(kept.error()));
  if (!found->balancer.state->change_status(found->member.member, set, clear, loop_.now()))
    return refuse_gone();
  const std::string before = balance::display_text(found->member.status);
  found = find(request);
  if (!found) return std::unexpected(std::move(found.error()));
  note(*found, who, fmt::format("set from {}to {}", before, display_text(found->member.status)));
  return member_answer(found->balancer, found->member,
                       {.now = loop_.now(), .wall = loop_.wall_now()});
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

void ControlDesk::note(const Found& found, std::string_view who, const std::string& what) {
  parts_.log(config::LogLevel::notice, fmt::format("{} in {}: {} (by {})", found.member.spec->name,
                                                   found.balancer.label, what, who));
}

}  // namespace steelyard::manage
