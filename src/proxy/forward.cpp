#include "proxy/forward.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "balance/decision_words.hpp"
#include "balance/parameters.hpp"
#include "balance/scheme.hpp"
#include "base/text.hpp"
#include "config/encoded_slashes.hpp"
#include "config/fcgi_settings.hpp"
#include "config/target.hpp"
#include "http/path.hpp"
#include "http/syntax.hpp"
#include "proxy/account.hpp"
#include "proxy/backend/attempt.hpp"
#include "proxy/backend/cgi_request.hpp"
#include "proxy/backend/dialect_choice.hpp"
#include "proxy/body_gathering.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/detour.hpp"
#include "proxy/forward_request.hpp"
#include "proxy/limits.hpp"
#include "proxy/line_wait.hpp"
#include "proxy/passing_group.hpp"
#include "proxy/repeats.hpp"
#include "proxy/timeline.hpp"

namespace steelyard::proxy {

namespace {

using balance::Outcome;
using config::LogLevel;

// Everything about the way to the members that one exchange keeps over its attempts.
struct Journey {
  const Group* group = nullptr;
  std::unique_ptr<Group> own_group;  // for a URL that nothing was configured for
  std::shared_ptr<const balance::BalancerSpec> altered;  // by operators; none as a rule
  std::string_view path;         // encoded, behind the balancer's or backend's own URL
  std::string_view plain_path;   // the same before encoding: sessions are looked up in it
  std::string_view wanted_host;  // of a URL beyond configured names
  Instant attempt_began{};
  std::optional<Failure> last;       // of the attempt before, when another member was to be tried
  std::optional<ResendProof> proof;  // that it may be; of that attempt
  std::unique_ptr<Repeats> repeats;  // repeaton=: if the request may be acted on twice
  bool timed_out = false;
  bool refused = false;            // the member said that it did not look at the request
  bool lines_up = false;           // the balancer has a line (queue=)
  bool used_up = false;            // the attempts are, and only the line is left
  bool gathered = false;           // as much of the body is here as is kept for a trial
  std::unique_ptr<LineWait> line;  // once it stood there
  // Since it stood in the line last.
  std::vector<balance::MemberRef> tried;
  Detour detour;
  std::string_view refusal;  // the page's words when the journey does not begin
};

// AllowEncodedSlashes for the step from the path that was mapped to the one that a member sees.
http::EncodedSlashes encoded_slashes(const Exchange& x) {
  const bool resets = config::sections_reset_encoded_slashes(*x.server, *x.settings);
  return resets ? http::EncodedSlashes::refuse : x.server->encoded_slashes;
}

// httpd encodes the path anew unless the route forwards it raw.
std::string_view encoded(Exchange& x, std::string_view path) {
  if (x.route.canonical) return path;
  return http::encode_path(path, encoded_slashes(x), x.arena);
}

// httpd: where "%2F" stays in a path, a percent sign that begins no escape is an error.
bool may_be_encoded(const Exchange& x, std::string_view path) {
  if (x.route.canonical || encoded_slashes(x) != http::EncodedSlashes::keep) return true;
  for (std::size_t at = 0; (at = path.find('%', at)) != path.npos; ++at) {
    if (path.size() - at < 3 || http::hex_value(path[at + 1]) < 0 ||
        http::hex_value(path[at + 2]) < 0)
      return false;
  }
  return true;
}

// The target with its path encoded and the query.
std::string_view whole_url(Exchange& x) {
  const std::string_view url = x.route.url;
  const std::size_t path = std::min(url.find('/', url.find("://") + 3), url.size());
  return x.arena.join(url.substr(0, path), path == url.size() ? "/" : "",
                      encoded(x, url.substr(path)), x.has_query ? "?" : "", x.query);
}

// Empty when the route alone decides where it leads.
std::string_view asked_url(Exchange& x) {
  const config::Route* const route = x.route.route;
  if (route != nullptr && (route->balancer || route->backend)) return {};
  return starts_with_ignoring_case(x.route.url, "balancer:") ? std::string_view() : whole_url(x);
}

// `$N` in the host or port: the address is only known for each request.
bool names_vary(const Group& backend) {
  const std::string& name = backend.spec->members.front().name;
  const std::size_t authority = name.find("://");
  if (authority == std::string::npos) return false;
  const std::size_t end = name.find('/', authority + 3);
  return name.substr(0, end).find('$') != std::string::npos;
}

bool is_spoken(const config::Config& config, std::string_view name) {
  const balance::Scheme* const scheme = balance::scheme_named(name);
  if (scheme == nullptr || !scheme->is_spoken) return false;
  return scheme->module.empty() ||
         std::ranges::find(config.modules, scheme->module) != config.modules.end();
}

// A target beyond everything configured. `pattern`: the backend of a regex route whose host or port
// holds `$N`, or a handler's; its parameters and its socket count.
std::unique_ptr<Group> make_group(const config::Config& config, const config::Target& target,
                                  const balance::MemberSpec* pattern) {
  const std::string scheme = to_lower(target.scheme);
  if (!is_spoken(config, scheme) || target.host.empty()) return nullptr;
  balance::MemberSpec member = pattern != nullptr ? *pattern : balance::MemberSpec();
  member.scheme = scheme;
  std::string_view host = target.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  member.host = to_lower(host);
  member.port = target.port;
  return make_passing_group(std::move(member));
}

// Fills the journey; a status other than 0 ends it.
int plan_journey(Exchange& x, Journey& journey) {
  const auto target = config::split_target(*x.server, x.route, asked_url(x));
  if (!target || !may_be_encoded(x, target->path)) return 400;
  const ServerGroups& groups = x.generation->groups_of(*x.server);
  if (target->balancer) {
    journey.group = &groups.balancers[*target->balancer];
  } else if (target->backend && !names_vary(groups.backends[*target->backend])) {
    journey.group = &groups.backends[*target->backend];
  } else {
    const balance::MemberSpec* pattern =
        target->backend ? &groups.backends[*target->backend].spec->members.front() : nullptr;
    if (pattern == nullptr && x.route.handler != nullptr) pattern = &x.route.handler->member;
    journey.own_group = make_group(x.generation->config(), *target, pattern);
    journey.group = journey.own_group.get();
    if (journey.group == nullptr) return 500;
  }
  if (has_query_for_port(x)) {
    journey.refusal = "URI cannot be parsed";
    return 400;
  }
  if (!target->balancer && is_blocked(x, target->host)) {
    journey.refusal = "Connect to remote machine blocked";
    return 403;
  }
  journey.plain_path = target->path;
  journey.path = encoded(x, target->path);
  if (x.route.canonical && !http::may_be_forwarded_raw(journey.path)) return 403;
  if (!http::may_be_forwarded_raw(x.query)) return 403;
  return 0;
}

balance::Session read_session(Exchange& x, const Journey& journey,
                              const balance::StickySpec& sticky) {
  if (!sticky.enabled()) return {};
  balance::SessionText text;
  text.url_path = journey.plain_path;
  text.query = x.query;
  // httpd: under nocanon the query stands in the path already and comes once more behind it. An
  // empty value at its end swallows that, so that no cookie is looked at.
  const bool is_raw = x.route.canonical && x.route.route != nullptr && x.route.route->raw_path;
  if (is_raw && x.has_query) text.url_path = x.arena.join(journey.plain_path, "?", x.query);
  if (const auto cookies = x.request.fields.value(http::FieldId::cookie)) text.cookies = *cookies;
  return balance::find_session(sticky, text);
}

bool is_whole(const RequestBody& body) { return !body.announced() || body.received_all(); }

// Everything that a choice needs of the request.
balance::ChoiceRequest ask_for_member(Exchange& x, Shard::Core& core, Journey& journey,
                                      const RequestBody& body) {
  const balance::BalancerSpec& spec = journey.group->current(journey.altered);
  balance::ChoiceRequest request{.session = read_session(x, journey, spec.sticky),
                                 .now = core.now()};
  request.replayable = http::is_idempotent(x.request.method_id) && body.can_rewind();
  request.whole = is_whole(body);
  const balance::PolicyTraits& policy = traits_of(spec.effective_policy());
  const bool looks_up = policy.lookup != balance::Lookup::none;
  if (looks_up || !policy.by_plan) request.random = core.parts.random();
  if (!looks_up) return request;
  request.key = core.text_of(x, journey.group->hash_key, core.failed_keys, "proxy_balancer",
                             "a balancer's hashkey");
  return request;
}

void allow_repeats(Exchange& x, Shard::Core& core, const ClientSide& client,
                   const RequestBody& body, Journey& journey) {
  const auto& rules = journey.group->current(journey.altered).repeat;
  if (rules && rules->any())
    journey.repeats = std::make_unique<Repeats>(x, core, client, body, *journey.group, *rules);
}

void export_decision(Exchange& x, const Journey& journey, const balance::Decision& decision) {
  if (journey.group->direct) return;
  expr::Environment& env = x.environment;
  // httpd sets the session's variables only once a member is found.
  if (decision.lease && decision.session.found) {
    env.set("BALANCER_SESSION_STICKY", decision.session.name);
    env.set("BALANCER_SESSION_ROUTE", decision.session.tag);
    x.notes.set("session-sticky", decision.session.name);
    x.notes.set("session-route", decision.session.tag);
  }
  if (decision.tag_changed) env.set("BALANCER_ROUTE_CHANGED", "1");
  if (!decision.lease) return;
  env.set("BALANCER_NAME", journey.group->spec->name);
  env.set("BALANCER_WORKER_NAME", decision.lease.spec().name);
  env.set("BALANCER_WORKER_ROUTE", decision.lease.spec().tag);
}

// httpd keeps no connection to scripts that may wait for its end, unless it is told to.
bool may_be_kept(const balance::MemberSpec& spec) {
  const auto protocol = cgi_protocol(spec.scheme);
  if (protocol && *protocol != cgi::Protocol::fcgi) return false;
  return !spec.disable_reuse.value_or(protocol.has_value());
}

AttemptPlan plan_attempt(Exchange& x, const Journey& journey, const balance::Lease& lease) {
  const balance::MemberSpec& spec = lease.spec();
  // The member's own path may have matched already (a direct backend's URL is a prefix of the
  // target's), a balancer's member is put in front of what follows the balancer's name.
  std::string_view path = journey.path;
  if (!journey.group->direct && !spec.path_prefix.empty())
    path = x.arena.join(std::string_view(spec.path_prefix), path);
  if (path.empty() || path.front() != '/') path = x.arena.join("/", path);
  const BackendTarget target{lease.member().authority(), path, x.query, x.has_query};
  AttemptPlan plan{*journey.group->state, lease, target, times_for(x, spec)};
  plan.transient = journey.own_group != nullptr;
  plan.repeats = journey.repeats != nullptr && journey.repeats->may_follow();
  // A connection that began with a client's address is that client's alone.
  plan.reuses = may_be_kept(spec) && !(spec.address_ttl && spec.address_ttl->count() == 0) &&
                spec.proxy_protocol == balance::ProxyProtocol::none;
  const bool speaks_cgi = cgi_protocol(spec.scheme).has_value();
  x.backend_url = {spec.scheme,
                   speaks_cgi ? shown_authority(spec.scheme, target.url_host) : target.url_host,
                   path};
  return plan;
}

balance::Decision only_the_line() {
  balance::Decision decision;
  decision.lines_up = true;
  return decision;
}

// Picks, unless it says that somebody else was there before or that nobody can be picked.
balance::Decision choose_member(Exchange& x, Shard::Core& core, Journey& journey, RequestBody& body,
                                balance::ChoiceRequest& request) {
  if (journey.lines_up) let_go_of_members(x);
  if (journey.used_up) return only_the_line();
  request.now = core.now();
  if (journey.line != nullptr) request.attempt = journey.line->attempt();
  request.tried = journey.tried;
  // What came with the head is a whole body, as a rule. Faults show when it is sent.
  if (!is_whole(body) && journey.group->state->ejects()) (void)body.fetch(prefetch_bytes);
  request.whole = is_whole(body);
  balance::Decision decision = decide(x, core, *journey.group, request);
  request.tried = {};
  journey.lines_up = decision.lines_up;
  return decision;
}

// The trial of a member that is the only one left does not wait for the client either: it is let
// go, and chosen anew when the body is here. Of one that is larger than what is kept in memory the
// rest is waited for all the same.
bool waits_for_client(const balance::Decision& decision, const Journey& journey,
                      const RequestBody& body) {
  return decision.lease && decision.lease.is_trial() && !journey.gathered && !is_whole(body);
}

io::Task<Failure> gather_for_trial(Exchange& x, Shard::Core& core, ClientSide client,
                                   RequestBody& body, Journey& journey) {
  journey.gathered = true;
  // The last piece has room in memory, too.
  const std::size_t memory = x.generation->config().body_spool_memory_bytes;
  const Gathering enough{
      .bytes = memory - std::min(memory, relay_buffer_bytes),
      .began = core.now(),
      .asks = std::exchange(x.request.expects_continue, false) && body.received() == 0};
  return gather_body(x, core, client, body, enough);
}

io::Task<> stand_in_line(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body,
                         Journey& journey, balance::Decision& decision,
                         balance::ChoiceRequest request) {
  let_go_of_members(x);
  journey.lines_up = true;
  journey.used_up = false;
  journey.tried.clear();
  if (journey.line == nullptr)
    journey.line = std::make_unique<LineWait>(x, core, client, body, *journey.group);
  QueuedStage queued(x, core);
  co_await journey.line->stand(request, decision);
  queued.end();
}

// Waits for a usable member (balancer's timeout=), trying again a hundred times.
io::Task<bool> wait_for_member(Exchange& x, Shard::Core& core, ClientSide client, Journey& journey,
                               balance::Decision& decision, balance::ChoiceRequest request) {
  auto turn = journey.group->state->begin_wait();
  if (!turn) co_return false;
  QueuedStage queued(x, core);
  for (int i = 0; i < balance::WaitTurn::tries; ++i) {
    io::Wait wait(client.timer, core.now() + turn->step());
    co_await wait.called();
    request.now = core.now();
    request.attempt = balance::Attempt::after_wait;
    const auto servers = heard_servers(x, core, *journey.group);
    request.servers = servers.get();
    decision = journey.group->state->choose(request);
    log_events(x, core, *journey.group, decision);
    if (decision.outcome == Outcome::picked) break;
  }
  queued.end();
  co_return decision.outcome == Outcome::picked;
}

// For the member's history.
balance::Evidence evidence_of(const Failure& failure, Duration latency) {
  return {.status = 0, .text = words_of(failure), .latency = latency};
}

// What a failed attempt means for the member.
// `is_beyond_recovery`: no 503, and counts all the same. It closed a fresh connection on a client
// that is closed in turn, or what its protocol has for that.
void blame_member(Exchange& x, Shard::Core& core, Journey& journey, const Failure& failure,
                  const balance::Lease& lease, bool is_beyond_recovery) {
  balance::Balancer& state = *journey.group->state;
  if (failure.party == Party::client) return;
  log_failure(x, core, failure, lease);
  // An answer is no failed attempt; failonstatus= has its say of it in judge_answer().
  if (failure.party != Party::backend || failure.cause == Cause::unwanted) return;
  if (failure.cause == Cause::timed_out) journey.timed_out = true;
  const Duration latency = core.now() - journey.attempt_began;
  if (failure.cause == Cause::connect &&
      state.connect_failed(lease, core.now(), evidence_of(failure, latency)))
    log_member_in_error(x, core, *journey.group, lease);
  if (journey.group->direct) return;
  // httpd: whatever ends in 503 renews the error, also of a member that is in error already; and
  // so does what it cannot recover from. A trial is failed by anything but an answer.
  const bool counts = status_of(failure) == 503 || failure.cause == Cause::no_such_name ||
                      failure.cause == Cause::handshake || is_beyond_recovery || lease.is_trial();
  if (counts &&
      state.force_error(lease, core.now(), balance::HealthCause::attempt_failed,
                        evidence_of(failure, latency)) &&
      state.ejects()) {
    log_member_in_error(x, core, *journey.group, lease);
  }
}

void judge_answer(Exchange& x, Shard::Core& core, Journey& journey, int status) {
  if (x.leases.empty() || journey.group->direct) return;
  const balance::Lease& lease = x.leases.back();
  const auto mark = journey.group->state->answer_status(
      lease, core.now(), status, journey.timed_out, core.now() - journey.attempt_began);
  log_answer_mark(x, core, *journey.group, lease, mark, status);
}

// httpd closes a kept-alive client connection without a word when a backend breaks a fresh
// connection before it answered: browsers then repeat the request, which they would not after 502.
bool ends_in_silence(const Exchange& x, const Failure& failure) {
  return !x.head_sent && failure.cause == Cause::closed && failure.status == 0 &&
         !failure.answer_began && x.client->requests_before > 0;
}

// httpd: whatever ends in 503. But what a FastCGI member may have acted on is not sent twice unless
// it is idempotent. And who has no address was not even asked.
bool may_be_tried_elsewhere(const Exchange& x, const Failure& failure, const Group& group) {
  if (failure.cause == Cause::unwanted) return false;
  const bool was_read = failure.cause == Cause::closed || failure.cause == Cause::bad_message;
  const bool may_repeat = !was_read || http::is_idempotent(x.request.method_id);
  return (status_of(failure) == 503 && may_repeat) ||
         (failure.cause == Cause::no_such_name && !group.direct);
}

// The member before has its verdict, and the way to the next one begins anew.
void begin_repeat(Journey& journey) {
  journey.timed_out = false;
  journey.detour = {};
}

void remember(Journey& journey, const balance::Lease& lease, const Attempt& attempt,
              Failure failure) {
  journey.tried.emplace_back(&lease.member());
  journey.proof = attempt.proof_for_another(failure);
  journey.last = std::move(failure);
}

// After a failed attempt: another one follows, or a place in the line (`used_up`).
bool goes_on(const Exchange& x, Journey& journey, const RequestBody& body, const Failure& failure,
             int attempts, balance::ChoiceRequest& request) {
  Repeats* const repeats = journey.repeats.get();
  if (x.head_sent || failure.party != Party::backend || !body.can_rewind()) return false;
  const balance::Balancer& state = *journey.group->state;
  // What may have been acted on goes on by repeaton= alone.
  const bool is_httpds = repeats == nullptr || !repeats->has_begun();
  if (is_httpds && may_be_tried_elsewhere(x, failure, *journey.group)) {
    if (state.may_try_another(x.leases.back(), attempts)) return true;
    journey.used_up =
        journey.lines_up && failure.cause != Cause::pool_exhausted && state.may_line_up();
    if (journey.used_up) return true;
  }
  if (repeats == nullptr) return false;
  return journey.refused ? repeats->follow_refusal(request) : repeats->follow(failure, request);
}

// What the member did not look at goes to another one, whatever its method; and this one is left
// alone, though nothing puts it in error.
void allow_another(Exchange& x, Shard::Core& core, const ClientSide& client,
                   const RequestBody& body, Journey& journey) {
  static constexpr balance::RepeatSpec nothing_else{};
  if (journey.repeats != nullptr || journey.group->direct) return;
  journey.repeats = std::make_unique<Repeats>(x, core, client, body, *journey.group, nothing_else);
  journey.repeats->note_asked(x.leases.back());
}

ForwardEnd end_with(Exchange& x, const Failure& failure) {
  ForwardEnd end;
  x.failed = {failure.party, failure.cause};
  if (x.head_sent || failure.cause == Cause::gone) {
    x.client_gone = x.client_gone || failure.cause == Cause::gone;
    end.silent = true;
    return end;
  }
  end.status = status_of(failure);
  end.silent = ends_in_silence(x, failure);
  end.proxy_error = x.arena.copy(reason_of(failure));
  return end;
}

ForwardEnd end_with_answer(Exchange& x, Attempt& attempt) {
  if (!attempt.overridden()) return {.tunnel = attempt.take_tunnel()};
  return {
      .status = x.response.status, .reason = x.arena.copy(x.response.reason), .overridden = true};
}

void account(Exchange& x, Shard::Core& core, Attempt& attempt, const balance::Decision& decision,
             const Failure& failure, const Journey& journey) {
  close_attempt(x, core, failure, attempt.status());
  MemberCells* const cells = attempt.cells();
  if (cells == nullptr) return;
  const Duration took = core.now() - journey.attempt_began;
  account_attempt(*cells, {decision.reason, attempt.status(), took, failure, journey.proof});
}

std::string how_it_waited(const LineWait& line) {
  const double seconds = std::chrono::duration<double>(line.waited()).count();
  return fmt::format("waited {:.3f} s for a member{}", seconds,
                     line.end() == LineWait::End::server_stops ? ", the server stops" : "");
}

// Why the line had nobody.
std::string_view word_of(LineWait::End end) {
  if (end == LineWait::End::line_full) return "queue_full";
  return end == LineWait::End::server_stops ? "server_stops" : "queue_timed_out";
}

ForwardEnd end_without_member(Exchange& x, Shard::Core& core, Journey& journey,
                              const balance::Decision& decision) {
  const LineWait* const line = journey.line.get();
  if (line == nullptr || line->end() == LineWait::End::decided) {
    journey.group->state->refusals().count(decision.outcome);
    note_refusal(x, label_of(decision.outcome));
    log_no_member(x, core, *journey.group, decision);
  } else if (line->end() == LineWait::End::client_gone) {
    return end_with(x, {Party::client, Cause::gone});
  } else {
    note_refusal(x, word_of(line->end()));
    if (line->end() == LineWait::End::line_full) {
      log_line_full(x, core, *journey.group);
    } else {
      log_waited_in_vain(x, core, *journey.group, how_it_waited(*line));
    }
    const auto advice = journey.group->state->advised_wait(core.now());
    x.retry_after_seconds = static_cast<int>(advice.count());
  }
  judge_answer(x, core, journey, 503);
  return {.status = 503};
}

}  // namespace

void complete_url(Exchange& x) {
  if (x.route.is_forward) return;  // it is whole, and no URL for CONNECT
  const std::string_view url = x.route.url;
  const std::size_t authority = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', authority), url.size());
  if (starts_with_ignoring_case(url, "balancer:")) {
    if (path == url.size()) x.route.url = x.arena.join(url, "/");
    return;
  }
  x.backend_url = {url.substr(0, authority - 3), url.substr(authority, path - authority),
                   path == url.size() ? "/" : encoded(x, url.substr(path))};
}

io::Task<ForwardEnd> forward(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body) {
  Journey journey;
  if (const int status = plan_journey(x, journey); status != 0) {
    co_return ForwardEnd{.status = status, .proxy_error = journey.refusal};
  }
  note_balancer(x, *journey.group);
  balance::ChoiceRequest request = ask_for_member(x, core, journey, body);
  if (request.replayable) allow_repeats(x, core, client, body, journey);
  balance::Balancer& state = *journey.group->state;
  for (int attempts = 1;; ++attempts, ++request.random) {
    const bool repeats = journey.repeats != nullptr && journey.repeats->has_next();
    balance::Decision decision =
        repeats ? journey.repeats->take_next() : choose_member(x, core, journey, body, request);
    if (decision.lines_up && waits_in_line(decision.outcome)) {
      co_await stand_in_line(x, core, client, body, journey, decision, request);
      attempts = 1;
    } else if (decision.outcome != Outcome::picked && journey.last && state.ejects()) {
      judge_answer(x, core, journey, status_of(*journey.last));
      co_return end_with(x, *journey.last);
    } else if (decision.outcome == Outcome::none_usable &&
               !co_await wait_for_member(x, core, client, journey, decision, request)) {
      decision.outcome = Outcome::none_usable;
    }
    if (waits_for_client(decision, journey, body)) {
      decision.lease.end();
      const Failure failure = co_await gather_for_trial(x, core, client, body, journey);
      if (failure) co_return end_with(x, failure);
      --attempts;
      continue;
    }
    export_decision(x, journey, decision);
    if (decision.outcome != Outcome::picked)
      co_return end_without_member(x, core, journey, decision);
    x.leases.push_back(std::move(decision.lease));
    const balance::Lease& lease = x.leases.back();
    if (journey.repeats) journey.repeats->note_asked(lease);
    journey.attempt_began = core.now();
    AttemptPlan plan = plan_attempt(x, journey, lease);
    if (x.server->proxy.forward != nullptr) co_await take_detour(x, core, journey.detour, plan);
    note_attempt(x, core,
                 {*journey.group, lease, decision.reason, journey.proof, plan.target.path});
    const Dialect::Matter matter{x, client, body, plan};
    const DialectChoice dialect(matter, core);
    Attempt attempt(matter, core, *dialect);
    Failure failure = co_await attempt.ask();
    if (!failure && journey.repeats) failure = journey.repeats->pass_over(request);
    if (failure.cause == Cause::unwanted) attempt.discard();
    if (!failure) failure = co_await attempt.relay();
    account(x, core, attempt, decision, failure, journey);
    if (!failure) {
      judge_answer(x, core, journey, x.response.status != 0 ? x.response.status : x.status);
      co_return end_with_answer(x, attempt);
    }
    if (failure.cause != Cause::unwanted && goes_another_way(x, core, plan, failure, attempts))
      continue;
    const bool breaks_silently = ends_in_silence(x, failure) && !attempt.began_on_pooled();
    blame_member(x, core, journey, failure, lease,
                 breaks_silently || (*dialect).marks_member(failure));
    journey.refused = attempt.was_refused();
    if (journey.refused) allow_another(x, core, client, body, journey);
    const bool ends = !goes_on(x, journey, body, failure, attempts, request);
    const bool is_repeated = journey.repeats != nullptr && journey.repeats->has_next();
    if (ends ? failure.party != Party::none : is_repeated && !journey.refused)
      judge_answer(x, core, journey, breaks_silently ? 500 : status_of(failure));
    if (ends) co_return end_with(x, failure);
    if (is_repeated) begin_repeat(journey);
    remember(journey, lease, attempt, std::move(failure));
    body.rewind();
  }
}

}  // namespace steelyard::proxy
