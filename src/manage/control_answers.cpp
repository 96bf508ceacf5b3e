#include "manage/control_answers.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace steelyard::manage {

namespace {

using balance::Drain;
using balance::DrainOrder;
using balance::DrainState;
using balance::Flag;
using balance::MemberView;
using json = nlohmann::ordered_json;

// Names of a configuration may hold any bytes.
std::string line_of(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string shown(balance::Status status) {
  return std::string(trim(balance::display_text(status)));
}

json drain_object(const Drain& drain, const Moment& moment) {
  json object{{"state", word_of(drain.state)},
              {"order", order_text(drain.order, moment)},
              {"since", moment.text_of(drain.began)}};
  if (drain.order.deadline) object["deadline"] = moment.text_of(*drain.order.deadline);
  if (drain.order.sessions_max) object["sessions_max"] = *drain.order.sessions_max;
  object["window_seconds"] = std::chrono::duration<double>(drain.order.window).count();
  if (drain.state != DrainState::under_way) {
    object["outcome"] = drain.outcome;
    object["ended"] = moment.text_of(drain.ended);
  }
  return object;
}

json sessions_object(const NamedBalancer& balancer, const MemberView& view, const Moment& moment) {
  if (!balancer.state->spec()->sticky.enabled()) return nullptr;
  const auto counts = balance::Drains(*balancer.state).sessions(view.member, moment.now);
  json object = json::object();
  json at_least = json::array();
  json partial = json::array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string key = std::to_string(balance::Census::windows[i].count()) + 'm';
    object[key] = counts[i].sessions;
    if (counts[i].at_least) at_least.push_back(key);
    if (!counts[i].whole) partial.push_back(key);
  }
  object["at_least"] = std::move(at_least);
  object["partial"] = std::move(partial);
  return object;
}

json member_object(const NamedBalancer& balancer, const MemberView& view,
                   const balance::Overlay& overlay, const Moment& moment) {
  json object{{"balancer", balancer.label},
              {"member", view.spec->name},
              {"route", view.spec->tag},
              {"status", shown(view.status)},
              {"usable", view.status.usable()},
              {"factor", view.spec->load_factor / double{balance::load_factor_unit}},
              {"lbset", view.spec->lbset},
              {"busy", view.busy},
              {"elected", view.elected},
              {"sessions", sessions_object(balancer, view, moment)},
              {"reason", reason_text(view, overlay.find(view.spec->name))}};
  const bool has_end = view.error_ends && *view.error_ends > moment.now;
  object["error_ends"] = has_end ? json(moment.text_of(*view.error_ends)) : json(nullptr);
  object["ejections"] = view.ejections;
  object["on_trial"] = view.on_trial;
  object["drain"] = view.drain ? drain_object(*view.drain, moment) : json(nullptr);
  return object;
}

// Nobody told since the start: then an operator did, in an earlier run or as it was added.
balance::HealthCause who_set_status(const balance::MemberEdits* edits) {
  using balance::HealthCause;
  if (edits == nullptr) return HealthCause::configuration;
  const bool is_operators =
      edits->membership == balance::Membership::added ||
      std::ranges::any_of(edits->edits, [](const auto& each) { return each.field == "status"; });
  return is_operators ? HealthCause::administrator : HealthCause::configuration;
}

// What of the status keeps the member from full service.
balance::Status hindrances(balance::Status status) {
  if (status.usable()) return status.only(Flag::draining);
  return status.only(Flag::shutting_down | Flag::disabled | Flag::stopped | Flag::in_error |
                     Flag::health_failed | Flag::nameless);
}

// What set the last of the flags that stand. What happened since took nothing back: a drain begun
// and ended leaves the error that was there before.
const balance::HealthEvent* event_that_set(balance::Status standing,
                                           const std::vector<balance::HealthEvent>& events) {
  const auto is_it = [&](const balance::HealthEvent& event) {
    return event.after.without(event.before).any(standing);
  };
  const auto found = std::ranges::find_if(events.rbegin(), events.rend(), is_it);
  return found != events.rend() ? &*found : nullptr;
}

}  // namespace

std::string_view word_of(DrainState state) {
  switch (state) {
    case DrainState::under_way:
      return "under_way";
    case DrainState::drained:
      return "drained";
    case DrainState::deadline_passed:
      return "deadline_passed";
    case DrainState::cancelled:
      return "cancelled";
  }
  return {};
}

std::string Moment::text_of(Instant when) const {
  if (when == Instant::min()) return {};
  return text_of(wall + std::chrono::duration_cast<WallTime::duration>(when - now));
}

std::string Moment::text_of(WallTime when) {
  const auto whole = std::chrono::time_point_cast<std::chrono::seconds>(when);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(WallTime::clock::to_time_t(whole)));
}

std::string fault_answer(const ControlFault& fault) {
  using Kind = ControlFault::Kind;
  const std::string_view kind = fault.kind == Kind::usage     ? "usage"
                                : fault.kind == Kind::unknown ? "unknown"
                                                              : "refused";
  json object{{"ok", false}, {"kind", kind}, {"error", fault.text}};
  if (!fault.choices.empty()) object["choices"] = fault.choices;
  return line_of(object);
}

std::string members_answer(const std::vector<NamedBalancer>& balancers,
                           const std::vector<std::string>& troubles, const Moment& moment) {
  json members = json::array();
  for (const NamedBalancer& balancer : balancers) {
    const balance::Overlay overlay = balance::Edits(*balancer.state).overlay();
    for (const MemberView& view : balancer.state->members())
      members.push_back(member_object(balancer, view, overlay, moment));
  }
  return line_of({{"ok", true}, {"members", std::move(members)}, {"troubles", troubles}});
}

std::string member_answer(const NamedBalancer& balancer, const MemberView& view,
                          const Moment& moment) {
  const balance::Overlay overlay = balance::Edits(*balancer.state).overlay();
  return line_of({{"ok", true}, {"member", member_object(balancer, view, overlay, moment)}});
}

std::string history_answer(const std::vector<balance::HealthEvent>& events, const Moment& moment) {
  json list = json::array();
  for (const balance::HealthEvent& event : events) {
    list.push_back({{"at", moment.text_of(event.last)},
                    {"times", event.times},
                    {"first", moment.text_of(event.first)},
                    {"cause", balance::to_text(event.cause)},
                    {"evidence", event.evidence.text},
                    {"answer_status", event.evidence.status},
                    {"latency_us", event.evidence.latency / std::chrono::microseconds(1)},
                    {"before", shown(event.before)},
                    {"after", shown(event.after)}});
  }
  return line_of({{"ok", true}, {"events", std::move(list)}});
}

std::string wait_answer(std::string_view state, std::string_view outcome) {
  return line_of({{"ok", true}, {"state", state}, {"outcome", outcome}});
}

std::string reason_text(const MemberView& view, const balance::MemberEdits* edits) {
  if (view.status.usable() && !view.status.has(Flag::draining)) return {};
  if (view.status.has(Flag::nameless) && !view.name_fault.empty())
    return "its name leads nowhere: " + view.name_fault;
  const auto events = view.member->health_log().events();
  const bool is_untold = events.empty() || events.back().after != view.status;
  const balance::HealthEvent* const event =
      is_untold ? nullptr : event_that_set(hindrances(view.status), events);
  if (event == nullptr || event->cause == balance::HealthCause::configuration)
    return std::string(balance::to_text(who_set_status(edits)));
  std::string reason(balance::to_text(event->cause));
  if (!event->evidence.text.empty()) reason += ": " + event->evidence.text;
  return reason;
}

std::string with_reason(std::string who, std::string_view reason) {
  constexpr std::size_t reason_bytes_max = 200;
  if (reason.empty()) return who;
  std::size_t end = std::min(reason.size(), reason_bytes_max);
  while (end < reason.size() && end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0) == 0x80)
    --end;
  return who + ", for " + steelyard::quoted(reason.substr(0, end)) +
         (end < reason.size() ? "..." : "");
}

std::string change_text(std::string_view balancer, const balance::Change& change,
                        std::string_view who) {
  return fmt::format("{}{}{}: {} from {} to {} (by {})", change.member,
                     change.member.empty() ? "" : " in ", balancer, change.field,
                     steelyard::quoted(change.before), steelyard::quoted(change.after), who);
}

std::string order_text(const DrainOrder& order, const Moment& moment) {
  std::string ends;
  if (order.deadline) ends = "until " + moment.text_of(*order.deadline);
  if (order.sessions_max) {
    const std::string most = *order.sessions_max == 0
                                 ? "no session"
                                 : fmt::format("at most {} sessions", *order.sessions_max);
    ends += fmt::format("{}{} for {}", ends.empty() ? "until there is " : ", or ", most,
                        balance::duration_text(order.window));
  }
  if (order.pace == DrainOrder::Pace::sessions_leave)
    return "sessions elsewhere at once" + (ends.empty() ? "" : ", " + ends);
  return ends.empty() ? "without an end" : ends;
}

}  // namespace steelyard::manage
