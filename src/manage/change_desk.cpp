#include "manage/change_desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <nlohmann/json.hpp>

#include "balance/editable.hpp"
#include "base/text.hpp"
#include "manage/cluster_answer.hpp"
#include "manage/control_answers.hpp"
#include "manage/kept_changes.hpp"

namespace steelyard::manage {

namespace {

using json = nlohmann::ordered_json;
using balance::Change;
using balance::ChangeFault;

// Names of a configuration may hold any bytes.
std::string line_of(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::unexpected<ControlFault> refuse(std::string text) {
  return std::unexpected(
      ControlFault{.kind = ControlFault::Kind::refused, .text = std::move(text)});
}

ControlFault fault_of(const ChangeFault& fault) {
  using Kind = ChangeFault::Kind;
  const std::string of = fault.member.empty() ? "" : " of " + fault.member;
  const bool is_usage = fault.kind == Kind::bad_value || fault.kind == Kind::no_such_field;
  // Without a field it is about all of the order.
  const std::string about = fault.field.empty() ? "" : fault.field + of + ": ";
  return {.kind = is_usage                             ? ControlFault::Kind::usage
                  : fault.kind == Kind::no_such_member ? ControlFault::Kind::unknown
                                                       : ControlFault::Kind::refused,
          .text = about + fault.text};
}

std::string changes_line(const std::vector<Change>& changes) {
  json list = json::array();
  for (const Change& change : changes) list.push_back(change_object(change));
  return line_of({{"ok", true}, {"changed", std::move(list)}});
}

// Said twice it is done once. Whether an added member would be just like this one.
bool is_as_wished(const balance::MemberSpec& member, const std::vector<FieldWish>& fields) {
  balance::MemberSpec wished = member;
  return std::ranges::all_of(fields, [&](const FieldWish& wish) {
    return balance::set_exactly(wished, wish.field, wish.value).has_value() &&
           balance::text_of(wished, wish.field) == balance::text_of(member, wish.field);
  });
}

}  // namespace

std::string nothing_changed(std::string_view why) {
  return line_of({{"ok", true}, {"changed", json::array()}, {"why", why}});
}

void ChangeDesk::adopt(const proxy::Generation& generation,
                       const std::vector<NamedBalancer>& balancers) {
  balancers_ = balancers;
  generations_.push_back({generation.number(), parts_.loop.wall_now()});
  if (generations_.size() > generations_max) generations_.pop_front();
}

ChangeDesk::Answer ChangeDesk::set_fields(const ControlRequest& request, std::string_view who) {
  const auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(balancer.error());
  std::string member;
  if (!request.member.empty()) {
    const auto found = find_member(*balancer, request.member);
    if (!found) return std::unexpected(found.error());
    member = found->spec->name;
  }
  balance::ChangeOrder order;
  for (const FieldWish& wish : request.fields)
    order.fields.push_back({member, wish.field, wish.value});
  return change(*balancer, order, request, who);
}

ChangeDesk::Answer ChangeDesk::add(const ControlRequest& request, std::string_view who) {
  const auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(balancer.error());
  balance::ChangeOrder order;
  order.added.push_back(request.member);
  order.added_max = balance::added_max_of(*balancer->state->spec());
  const auto added = balance::added_member(request.member);
  const std::string name = added ? added->name : request.member;
  if (const auto known = find_member(*balancer, name);
      known && known->spec->name == name && is_as_wished(*known->spec, request.fields))
    return nothing_changed(name + " is there already");
  for (const FieldWish& wish : request.fields)
    order.fields.push_back({name, wish.field, wish.value});
  return change(*balancer, order, request, who);
}

ChangeDesk::Answer ChangeDesk::remove(const ControlRequest& request, std::string_view who) {
  const auto balancer = find_balancer(balancers_, request.balancer);
  if (!balancer) return std::unexpected(balancer.error());
  const auto found = find_member(*balancer, request.member);
  if (!found && was_member(parts_.book, *balancer, request.member))
    return nothing_changed(steelyard::quoted(request.member) + " is gone already");
  if (!found) return std::unexpected(found.error());
  return change(*balancer, {.removed = {found->spec->name}}, request, who);
}

ChangeDesk::Answer ChangeDesk::change(const NamedBalancer& balancer,
                                      const balance::ChangeOrder& order,
                                      const ControlRequest& request, std::string_view who) {
  const auto changes = operations_.change(balancer, order, by(request, who));
  if (!changes) return std::unexpected(fault_of(changes.error()));
  return changes_line(*changes);
}

Operations::By ChangeDesk::by(const ControlRequest& request, std::string_view who) const {
  return {.author = author_on_socket(std::string(who), request.reason),
          .who = std::string(who),
          .log = [this](const std::string& text) { parts_.log(config::LogLevel::notice, text); }};
}

ChangeDesk::Answer ChangeDesk::list_changes(const ControlRequest& request) const {
  const journal::Journal* const journal = parts_.book.journal();
  if (journal == nullptr) return refuse("the journal of changes is not open");
  journal::HistoryFilter filter;
  if (!request.balancer.empty()) {
    const auto balancer = find_balancer(balancers_, request.balancer);
    if (!balancer) return std::unexpected(balancer.error());
    filter.balancer = journal::BalancerKey{balancer->scope, balancer->state->name()};
  }
  const auto rows = journal->history(filter, history_rows, request.before);
  if (!rows) return refuse(rows.error().text);
  json list = json::array();
  for (const journal::Kept& row : *rows) list.push_back(kept_object(row));
  return line_of({{"ok", true}, {"changes", std::move(list)}});
}

ChangeDesk::Answer ChangeDesk::undo(const ControlRequest& request, std::string_view who) {
  using Later = journal::Journal::Later;
  const ChangesBook::UndoWish wish{.id = request.id,
                                   .later = request.force ? Later::is_overridden : Later::matters,
                                   .added_max = INT_MAX};
  const auto changes = operations_.undo(balancers_, wish, by(request, who));
  if (!changes) return std::unexpected(changes.error());
  return changes_line(*changes);
}

ChangeDesk::Answer ChangeDesk::export_text(const ControlRequest& request) const {
  std::vector<NamedBalancer> wanted = balancers_;
  if (!request.balancer.empty()) {
    auto balancer = find_balancer(balancers_, request.balancer);
    if (!balancer) return std::unexpected(std::move(balancer.error()));
    wanted = {std::move(*balancer)};
  }
  const auto text = manage::export_text(parts_.book, wanted, request.at, parts_.loop.wall_now());
  if (!text) return std::unexpected(text.error());
  return line_of({{"ok", true}, {"text", *text}});
}

ChangeDesk::Answer ChangeDesk::list_generations() const {
  json list = json::array();
  for (const Loaded& each : generations_)
    list.push_back({{"number", each.number}, {"loaded", Moment::text_of(each.when)}});
  return line_of({{"ok", true}, {"generations", std::move(list)}});
}

ChangeDesk::Answer ChangeDesk::show_cluster() const {
  const Sharing* const sharing = parts_.book.sharing();
  if (sharing == nullptr) return refuse("there is no cluster: SteelyardCluster names one");
  return cluster_answer(sharing->view());
}

}  // namespace steelyard::manage
