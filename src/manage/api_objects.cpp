#include "manage/api_objects.hpp"

#include <fmt/format.h>

#include "balance/editable.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"
#include "http/status.hpp"

namespace steelyard::manage {

namespace {

using balance::DrainState;
using balance::Edit;
using balance::MemberView;

template <class Spec>
ApiJson settings_object(const Spec& spec, std::span<const std::string_view> fields) {
  ApiJson object = ApiJson::object();
  for (const std::string_view field : fields) object[field] = balance::text_of(spec, field);
  return object;
}

// What the configuration says where operators changed it.
ApiJson changed_object(const std::vector<Edit>& edits) {
  ApiJson object = ApiJson::object();
  for (const Edit& edit : edits) object[edit.field] = {{"configured", edit.configured}};
  return object;
}

std::string_view word_of(balance::Membership membership) {
  switch (membership) {
    case balance::Membership::configured:
      return "configured";
    case balance::Membership::added:
      return "added";
    case balance::Membership::removed:
      return "removed";
  }
  return {};
}

template <class Spec>
std::string tag_over(const Spec& spec, std::string_view name,
                     std::span<const std::string_view> fields) {
  std::string text(name);
  for (const std::string_view field : fields) {
    text += '\n';
    text += balance::text_of(spec, field);
  }
  std::string tag = "\"";
  for (const std::uint8_t byte : md5(text)) tag += fmt::format("{:02x}", byte);
  return tag + '"';
}

ApiJson check_object(const MemberView& view, const Moment& moment) {
  if (!view.checks.last || view.spec->check.method == balance::CheckMethod::none) return nullptr;
  const balance::LastCheck& last = *view.checks.last;
  ApiJson object{{"at", moment.text_of(last.ended)},
                 {"passed", last.verdict == balance::CheckVerdict::passed},
                 {"evidence", last.evidence.text},
                 {"answer_status", last.evidence.status}};
  if (view.checks.next_due) object["next"] = moment.text_of(*view.checks.next_due);
  return object;
}

ApiJson sessions_object(const NamedBalancer& balancer, const MemberView& view,
                        const Moment& moment) {
  ApiJson object = ApiJson::object();
  const auto counts = balance::Drains(*balancer.state).sessions(view.member, moment.now);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    object[std::to_string(balance::Census::windows[i].count()) + 'm'] = {
        {"count", counts[i].sessions},
        {"at_least", counts[i].at_least},
        {"whole", counts[i].whole}};
  }
  return object;
}

}  // namespace

ApiJson balancer_object(const NamedBalancer& balancer, const balance::BalancerSpec& spec,
                        const balance::Overlay& overlay) {
  const auto line = balancer.state->line().counters();
  return {{"balancer", balancer.label},
          {"scope", balancer.scope},
          {"etag", tag_of(spec)},
          {"settings", settings_object(spec, balance::editable_balancer_fields())},
          {"changed", changed_object(overlay.balancer)},
          {"members", spec.members.size()},
          {"waiting", line.waiting}};
}

ApiJson sessions_of(const NamedBalancer& balancer, const MemberView& view, const Moment& moment) {
  const bool counts = balance::Drains(*balancer.state).counts_sessions() &&
                      balancer.state->spec()->sticky.enabled();
  return counts ? sessions_object(balancer, view, moment) : ApiJson(nullptr);
}

ApiJson member_object(const NamedBalancer& balancer, const MemberView& view,
                      const balance::Overlay& overlay, const Moment& moment,
                      const ApiJson* sessions) {
  const balance::MemberEdits* const edits = overlay.find(view.spec->name);
  ApiJson object{
      {"balancer", balancer.label},
      {"member", view.spec->name},
      {"etag", tag_of(*view.spec)},
      {"membership", word_of(edits != nullptr ? edits->membership : balance::Membership{})},
      {"settings", settings_object(*view.spec, balance::editable_member_fields())},
      {"changed", edits != nullptr ? changed_object(edits->edits) : ApiJson::object()},
      {"status", trim(balance::display_text(view.status))},
      {"usable", view.status.usable()},
      {"reason", reason_text(view, edits)},
      {"busy", view.busy},
      {"elected", view.elected},
      {"retries", view.retries},
      {"sent_bytes", view.transferred_bytes},
      {"received_bytes", view.read_bytes},
      {"check", check_object(view, moment)}};
  if (view.error_ends && *view.error_ends != never)
    object["error_ends"] = moment.text_of(*view.error_ends);
  object["sessions"] = sessions != nullptr ? *sessions : sessions_of(balancer, view, moment);
  object["drain"] = view.drain ? drain_object(*view.drain, moment) : ApiJson(nullptr);
  return object;
}

ApiJson drain_object(const balance::Drain& drain, const Moment& moment) {
  ApiJson object{{"number", drain.number},
                 {"state", word_of(drain.state)},
                 {"order", order_text(drain.order, moment)},
                 {"since", moment.text_of(drain.began)}};
  if (drain.state == DrainState::under_way) return object;
  object["outcome"] = drain.outcome;
  object["ended"] = moment.text_of(drain.ended);
  return object;
}

ApiJson events_object(const std::vector<balance::HealthEvent>& events, const Moment& moment) {
  ApiJson list = ApiJson::array();
  for (const balance::HealthEvent& event : events) {
    list.push_back({{"first", moment.text_of(event.first)},
                    {"last", moment.text_of(event.last)},
                    {"times", event.times},
                    {"cause", balance::to_text(event.cause)},
                    {"evidence", event.evidence.text},
                    {"answer_status", event.evidence.status},
                    {"latency_us", event.evidence.latency / std::chrono::microseconds(1)},
                    {"before", trim(balance::display_text(event.before))},
                    {"after", trim(balance::display_text(event.after))}});
  }
  return list;
}

std::string tag_of(const balance::BalancerSpec& spec) {
  return tag_over(spec, spec.name, balance::editable_balancer_fields());
}

std::string tag_of(const balance::MemberSpec& spec) {
  return tag_over(spec, spec.name, balance::editable_member_fields());
}

ApiJson problem_object(const Problem& problem) {
  ApiJson object{{"type", "about:blank"},
                 {"title", http::reason_phrase(problem.status)},
                 {"status", problem.status},
                 {"detail", problem.detail}};
  if (!problem.choices.empty()) object["choices"] = problem.choices;
  if (!problem.member.empty()) object["member"] = problem.member;
  if (!problem.field.empty()) object["field"] = problem.field;
  return object;
}

std::string text_of(const ApiJson& object) {
  return object.dump(2, ' ', false, ApiJson::error_handler_t::replace) + '\n';
}

}  // namespace steelyard::manage
