#include "manage/operations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "balance/drains.hpp"
#include "balance/editable.hpp"
#include "manage/control_answers.hpp"

namespace steelyard::manage {

namespace {

using balance::Change;
using balance::Drains;
using balance::Flag;
using balance::Status;

// Those who look names up or check members have something to do.
bool concerns_others(const Change& change) {
  return change.field == "member" || change.field.starts_with("hc");
}

bool is_under_way(const DrainWish& wish, const balance::MemberView& member) {
  if (!member.drain || member.drain->state != balance::DrainState::under_way) return false;
  const balance::DrainOrder& now = member.drain->order;
  const balance::DrainOrder wanted = wish.order(member.drain->began);
  return now.deadline == wanted.deadline && now.sessions_max == wanted.sessions_max &&
         now.window == wanted.window && now.pace == wanted.pace;
}

// The balancer-manager's form takes stickiness away by it (httpd). Whoever knows that and says it
// here would have sessions follow a cookie of that name.
bool is_of_the_form(const balance::ChangeOrder::Field& wish) {
  return wish.member.empty() && wish.field == "stickysession" && wish.value == "-";
}

}  // namespace

std::string order_note(const NamedBalancer& balancer, const balance::MemberView& member,
                       std::string_view what, std::string_view who) {
  return fmt::format("{} in {}: {} (by {})", member.spec->name, balancer.label, what, who);
}

std::expected<Operations::Changes, balance::ChangeFault> Operations::change(
    const NamedBalancer& balancer, const balance::ChangeOrder& order, const By& by) const {
  if (std::ranges::any_of(order.fields, is_of_the_form)) {
    ++parts_.book.refused().invalid;
    return std::unexpected(balance::ChangeFault{
        balance::ChangeFault::Kind::bad_value,
        {},
        "stickysession",
        "\"-\" would be a cookie of that name; an empty value takes stickiness away"});
  }
  auto changes = parts_.book.change(balancer, order, by.author, moment());
  if (changes) tell(balancer.label, *changes, by);
  return changes;
}

std::expected<Operations::Changes, ControlFault> Operations::undo(
    const std::vector<NamedBalancer>& balancers, const ChangesBook::UndoWish& wish,
    const By& by) const {
  auto undone = parts_.book.undo(balancers, wish, by.author, moment());
  if (!undone) return std::unexpected(std::move(undone.error()));
  By who = by;
  who.who += fmt::format(", undoing change {}", wish.id);
  tell(undone->label, undone->changes, who);
  return std::move(undone->changes);
}

void Operations::tell(const std::string& label, const Changes& changes, const By& by) const {
  for (const Change& each : changes)
    by.log(change_text(label, each, with_reason(by.who, by.author.reason)));
  if (std::ranges::any_of(changes, concerns_others)) parts_.members_changed();
}

std::expected<void, OperationFault> Operations::keep(const NamedBalancer& balancer,
                                                     const balance::MemberView& member, Status wish,
                                                     const By& by) const {
  auto kept = parts_.book.keep_wish(balancer, member, wish, by.author, moment());
  if (kept) return {};
  return std::unexpected(OperationFault{OperationFault::Kind::not_kept, std::move(kept.error())});
}

std::expected<void, OperationFault> Operations::say_finding(const NamedBalancer& balancer,
                                                            const balance::MemberView& member,
                                                            const StatusWish& wish,
                                                            const By& by) const {
  const Status set = wish.set.without(balance::operator_flags);
  const Status clear = wish.clear.without(balance::operator_flags);
  const Status after = member.status.with(set).without(clear);
  if (after == member.status) return {};
  if (!balancer.state->change_status(member.member, set, clear, moment().now)) {
    return std::unexpected(
        OperationFault{OperationFault::Kind::gone, "a reload has just taken the member away"});
  }
  parts_.book.note_finding(balancer, member, after, by.author, moment());
  const std::string what = fmt::format("set from {}to {}", balance::display_text(member.status),
                                       trim(balance::display_text(after)));
  by.log(order_note(balancer, member, what, with_reason(by.who, by.author.reason)));
  parts_.members_changed();
  return {};
}

std::expected<void, OperationFault> Operations::drain(const NamedBalancer& balancer,
                                                      const balance::MemberView& member,
                                                      const DrainWish& wish, const By& by) const {
  // Said again it is no new order: whoever waits for the first one waits on.
  if (is_under_way(wish, member)) return {};
  const Moment moment = this->moment();
  const balance::DrainOrder order = wish.order(moment.now);
  Status flags = member.status.only(balance::operator_flags).with(Flag::draining);
  if (wish.kick) flags = flags.with(Flag::stopped);
  if (auto kept = keep(balancer, member, flags, by); !kept) return kept;
  if (!Drains(*balancer.state).order(member.member, order, moment.now)) {
    return std::unexpected(
        OperationFault{OperationFault::Kind::gone, "a reload has just taken the member away"});
  }
  by.log(order_note(balancer, member, "drain, " + order_text(order, moment),
                    with_reason(by.who, by.author.reason)));
  parts_.drain_ordered();
  return {};
}

std::expected<bool, OperationFault> Operations::undrain(const NamedBalancer& balancer,
                                                        const balance::MemberView& member,
                                                        const By& by) const {
  Status wish = member.status.only(balance::operator_flags).without(Flag::draining);
  if (member.drain && member.drain->has_stopped_it) wish = wish.without(Flag::stopped);
  if (auto kept = keep(balancer, member, wish, by); !kept)
    return std::unexpected(std::move(kept.error()));
  if (!Drains(*balancer.state).undrain(member.member, moment().now)) return false;
  by.log(order_note(balancer, member, "undrain", with_reason(by.who, by.author.reason)));
  return true;
}

}  // namespace steelyard::manage
