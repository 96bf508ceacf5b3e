#include "proxy/decision_log.hpp"

#include <fmt/format.h>

#include "balance/scheme.hpp"
#include "balance/standing.hpp"
#include "proxy/ending.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;

constexpr std::string_view module = "proxy_balancer";

std::string session_text(const balance::StickySpec& sticky, const balance::Session& session) {
  if (!sticky.enabled()) return "the balancer is not sticky";
  if (session.source == balance::SessionSource::none) {
    return fmt::format("no session: neither '{}' in the URL nor cookie '{}' has a value",
                       sticky.url_name, sticky.cookie_name);
  }
  const char* where = session.source == balance::SessionSource::url ? "URL" : "cookie";
  if (!session.found) {
    return fmt::format("found value '{}' for stickysession {} in the {}, but it has no route",
                       session.value, session.name, where);
  }
  return fmt::format("found value '{}' for stickysession {} in the {}: route '{}'", session.value,
                     session.name, where, session.tag);
}

std::string candidate_text(const balance::Candidate& candidate) {
  std::string text =
      fmt::format("{} [{}] lbset {} factor {}", candidate.name,
                  balance::display_text(candidate.status), candidate.lbset, candidate.load_factor);
  if (candidate.factor_now != candidate.load_factor) {
    text += fmt::format(" (now {})", candidate.factor_now);
  }
  if (candidate.heartbeat_weight) text += fmt::format(" ready {}", *candidate.heartbeat_weight);
  if (candidate.expected_seconds) {
    text += fmt::format(" expected {:.3f} ms", *candidate.expected_seconds * 1000);
  }
  text += fmt::format(" lbstatus {} busy {}: {}", candidate.credit, candidate.busy,
                      to_text(candidate.verdict));
  return text;
}

std::string_view event_text(balance::EventKind kind) {
  switch (kind) {
    case balance::EventKind::retried:
      return "has been marked for retry";
    case balance::EventKind::forced:
      return "recovery is forced, all members are in error";
    case balance::EventKind::trial:
      return "gets this request on trial";
  }
  return {};
}

void log_decision(Exchange& x, Shard::Core& core, const Group& group,
                  const balance::Decision& decision, const balance::Explanation& explanation) {
  const std::string& name = group.spec->name;
  std::shared_ptr<const balance::BalancerSpec> held;
  core.log(x, LogLevel::debug, module,
           name + ": " + session_text(group.current(held).sticky, decision.session));
  for (const balance::Candidate& candidate : explanation.candidates)
    core.log(x, LogLevel::debug, module, name + ": candidate " + candidate_text(candidate));
  if (!decision.lease) {
    core.log(x, LogLevel::debug, module,
             fmt::format("{}: nobody chosen: {}", name, to_text(decision.outcome)));
    return;
  }
  core.log(
      x, LogLevel::debug, module,
      fmt::format("{}: {} chose {} ({}{})", name,
                  balance::policy_name(group.spec->effective_policy()), decision.lease.spec().name,
                  to_text(decision.reason), decision.tag_changed ? ", route changed" : ""));
}

// Every member with the reason why it takes nothing.
std::string with_members(std::string text, const Group& group, Instant now) {
  for (const balance::MemberView& view : group.state->members())
    text += fmt::format("; {} ({})", view.spec->name, balance::standing_reason(view, now));
  return text;
}

}  // namespace

std::shared_ptr<const heartbeat::Servers> heard_servers(Exchange& x, Shard::Core& core,
                                                        const Group& group) {
  std::shared_ptr<const balance::BalancerSpec> held;
  if (group.current(held).effective_policy() != balance::Policy::heartbeat) return nullptr;
  auto servers = core.parts.group.heartbeats.servers();
  if (!servers->trouble().empty() && core.wants(x, LogLevel::error, "lbmethod_heartbeat"))
    core.log(x, LogLevel::error, "lbmethod_heartbeat", servers->trouble());
  return servers;
}

balance::Decision decide(Exchange& x, Shard::Core& core, const Group& group,
                         balance::ChoiceRequest request) {
  const auto servers = heard_servers(x, core, group);
  request.servers = servers.get();
  if (group.direct || !core.wants(x, LogLevel::debug, module)) {
    balance::Decision decision = group.state->choose(request);
    if (!decision.events.empty()) log_events(x, core, group, decision);
    return decision;
  }
  balance::Explanation explanation;
  request.explanation = &explanation;
  balance::Decision decision = group.state->choose(request);
  log_events(x, core, group, decision);
  log_decision(x, core, group, decision, explanation);
  return decision;
}

void log_events(Exchange& x, Shard::Core& core, const Group& group,
                const balance::Decision& decision) {
  for (const balance::Event& event : decision.events) {
    if (!core.wants(x, LogLevel::debug, module)) return;
    core.log(x, LogLevel::debug, module,
             fmt::format("{}: worker for ({}) {}", group.spec->name, event.member->address(),
                         event_text(event.kind)));
  }
}

void log_no_member(Exchange& x, Shard::Core& core, const Group& group,
                   const balance::Decision& decision) {
  if (!core.wants(x, LogLevel::error, module)) return;
  const std::string& name = group.spec->name;
  if (decision.outcome == balance::Outcome::no_members)
    return core.log(x, LogLevel::error, module, name + ": No workers in balancer");
  std::string text = decision.outcome == balance::Outcome::session_member_unusable
                         ? fmt::format("{}: All workers are in error state for route ({})", name,
                                       decision.session.tag)
                         : name + ": All workers are in error state";
  core.log(x, LogLevel::error, module, with_members(std::move(text), group, core.now()));
}

void log_waited_in_vain(Exchange& x, Shard::Core& core, const Group& group, std::string_view how) {
  if (!core.wants(x, LogLevel::error, module)) return;
  core.log(x, LogLevel::error, module,
           with_members(fmt::format("{}: {}", group.spec->name, how), group, core.now()));
}

void log_line_full(Exchange& x, Shard::Core& core, const Group& group) {
  core.log_seldom(x, core.full_lines, LogLevel::error, module, [&] {
    const std::size_t waiting = group.state->line().counters().waiting;
    return with_members(fmt::format("{}: line full: {} waiting", group.spec->name, waiting), group,
                        core.now());
  });
}

namespace {

// httpd's module that speaks the member's protocol: LogLevel knows it by that name.
std::string_view module_of(std::string_view scheme) {
  constexpr std::string_view end = "_module";
  if (scheme == "ws" || scheme == "wss") return "proxy_wstunnel";
  const balance::Scheme* const known = balance::scheme_named(scheme);
  if (known == nullptr || !known->module.starts_with("proxy_")) return "proxy_http";
  return known->module.substr(0, known->module.size() - end.size());
}

// What the cause means, in httpd's words where it has some.
std::string_view sentence_of(Cause cause) {
  switch (cause) {
    case Cause::closed:
    case Cause::timed_out:
      return "Error reading from remote server";
    case Cause::write_timed_out:
      return "it did not take the request in time";
    case Cause::continue_timed_out:
      return "Timeout on 100-Continue";
    case Cause::handshake:
      return "Error during SSL Handshake with remote server";
    case Cause::pool_exhausted:
      return "no connection became free in time";
    case Cause::unusable:
      return "another request found it unusable meanwhile";
    case Cause::bad_message:
      return "its answer cannot be passed on";
    case Cause::cut_short:
      return "the answer broke off";
    default:
      return to_text(cause);
  }
}

bool is_of_the_connection(Cause cause) {
  return cause == Cause::closed || cause == Cause::handshake || cause == Cause::cut_short;
}

bool is_of_time(Cause cause) {
  return cause == Cause::timed_out || cause == Cause::write_timed_out ||
         cause == Cause::continue_timed_out;
}

}  // namespace

std::string words_of(const Failure& failure) {
  const std::string_view sentence = sentence_of(failure.cause);
  if (!failure.detail.empty() && !is_of_the_connection(failure.cause)) return failure.detail;
  const std::string_view how = is_of_time(failure.cause) ? time_is_up : failure.detail;
  return how.empty() ? std::string(sentence) : fmt::format("{}: {}", how, sentence);
}

void log_failure(Exchange& x, Shard::Core& core, const Failure& failure,
                 const balance::Lease& lease) {
  const bool connecting = failure.cause == Cause::connect || failure.cause == Cause::exhausted;
  const std::string_view speaker = connecting ? "proxy" : module_of(lease.spec().scheme);
  if (!core.wants(x, LogLevel::error, speaker)) return;
  if (connecting) {
    std::string text = fmt::format("failed to make connection to backend: {}", lease.spec().host);
    if (!failure.detail.empty()) text.append(": ").append(failure.detail);
    return core.log(x, LogLevel::error, speaker, text);
  }
  std::string text = fmt::format("error with backend {}: {}", lease.spec().name, words_of(failure));
  if (!x.path.empty()) text.append(" returned by ").append(x.path);  // httpd's words
  core.log(x, LogLevel::error, speaker, text);
}

void log_tunnel_end(const Exchange& x, Shard::Core& core, LogLevel level,
                    const std::function<std::string()>& why) {
  const bool is_connect = x.request.method_id == http::Method::connect;
  const balance::MemberSpec& spec = x.leases.back().spec();
  const std::string_view speaker = is_connect ? "proxy_connect" : module_of(spec.scheme);
  if (!core.wants(x, level, speaker)) return;
  core.log(x, level, speaker,
           fmt::format("tunnel to {} ended: {}",
                       is_connect ? x.route.url : std::string_view(spec.name), why()));
}

void log_member_in_error(Exchange& x, Shard::Core& core, const Group& group,
                         const balance::Lease& lease) {
  if (!core.wants(x, LogLevel::error, "proxy")) return;
  const Duration lasts = group.state->ejects() ? group.state->error_length(lease.member())
                                               : Duration(lease.spec().retry);
  core.log(x, LogLevel::error, "proxy",
           fmt::format("disabling worker for ({}) for {}s", lease.member().address(),
                       std::chrono::duration_cast<std::chrono::seconds>(lasts).count()));
}

void log_slow_members(Exchange& x, Shard::Core& core, const std::string& balancer,
                      const std::vector<balance::SlowEjection>& ejected) {
  if (!core.wants(x, LogLevel::error, module)) return;
  for (const balance::SlowEjection& slow : ejected) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(slow.lasts).count();
    core.log(x, LogLevel::error, module,
             fmt::format("{}: disabling worker for ({}) for {}s: too slow, {}", balancer,
                         slow.member->address(), seconds, slow.evidence));
  }
}

void log_answer_mark(Exchange& x, Shard::Core& core, const Group& group,
                     const balance::Lease& lease, balance::AnswerMark mark, int status) {
  if (mark == balance::AnswerMark::none || !core.wants(x, LogLevel::error, module)) return;
  const std::string why =
      mark == balance::AnswerMark::in_error_by_timeout
          ? "timeout, failontimeout is set"
          : fmt::format("status code {} matching 'failonstatus' balancer parameter", status);
  core.log(x, LogLevel::error, module,
           fmt::format("{}: Forcing worker ({}) into error state due to {}", group.spec->name,
                       lease.spec().name, why));
}

}  // namespace steelyard::proxy
