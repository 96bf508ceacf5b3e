#include "health/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/fcgi_settings.hpp"
#include "health/limits.hpp"

namespace steelyard::health {

namespace {

using balance::CheckEffect;
using balance::CheckVerdict;
using balance::Flag;
using config::LogLevel;

constexpr std::string_view module = "proxy_hcheck";

cgi::BackendType fcgi_backend_of(const config::Server& server, std::string_view url) {
  auto backend = server.defaults.fcgi_backend;
  for (const config::Section& section : server.proxies) {
    if (section.settings.fcgi_backend && section.covers_url(url))
      backend = section.settings.fcgi_backend;
  }
  return backend == config::FcgiBackend::generic ? cgi::BackendType::generic
                                                 : cgi::BackendType::fpm;
}

// httpd: `timeout`, else ProxyTimeout, else Timeout; `connectiontimeout` goes before them.
CheckPlan plan_for(const TargetRules& rules, const std::string& balancer) {
  const balance::MemberSpec& member = rules.member;
  const config::Server& server = *rules.server;
  CheckPlan plan{.member = member,
                 .server = server,
                 .condition = rules.condition,
                 .connect_timeout = {},
                 .read_timeout = {},
                 .tls = nullptr};
  const tls::Hosts* const hosts = rules.generation ? rules.generation->tls() : nullptr;
  if (rules.generation) plan.software = rules.generation->banner();
  plan.fcgi_backend = fcgi_backend_of(server, balancer + "/");
  // As for a request: with a path, so that <Proxy balancer://name/*> covers it.
  if (hosts != nullptr) plan.tls = hosts->backend_of(server, balancer + "/").get();
  plan.read_timeout = member.timeout ? Duration(*member.timeout)
                                     : server.proxy.timeout.value_or(server.client.timeout);
  plan.connect_timeout =
      member.connection_timeout ? Duration(*member.connection_timeout) : plan.read_timeout;
  return plan;
}

Duration whole_time(const CheckPlan& plan) {
  if (plan.member.check.timeout) return *plan.member.check.timeout;
  return plan.connect_timeout + plan.read_timeout + dripping_time_max;
}

}  // namespace

Prober::Target::Target(const ProberParts& parts, std::size_t& under_way,
                       std::shared_ptr<balance::Balancer> balancer, balance::MemberRef member)
    : parts_(parts),
      under_way_(under_way),
      balancer_(std::move(balancer)),
      member_(std::move(member)),
      last_end_(parts.loop.now()) {}

void Prober::Target::adopt(std::shared_ptr<const TargetRules> rules) {
  const bool has_other_times = rules_ == nullptr || rules_->member.check != rules->member.check;
  rules_ = std::move(rules);
  if (has_other_times) draw_jitter();
  member_->health_log().set_next_check(last_end_ + wait());
}

void Prober::Target::draw_jitter() {
  const auto most = static_cast<std::uint64_t>(rules_->member.check.jitter.count());
  jitter_ = std::chrono::milliseconds(most == 0 ? 0 : parts_.random() % (most + 1));
}

Duration Prober::Target::wait() const {
  const balance::CheckSpec& check = rules_->member.check;
  const bool down = member_->status().any(Flag::in_error | Flag::health_failed);
  const auto interval = down ? check.down_interval.value_or(check.interval) : check.interval;
  // Intervals of centuries (httpd takes them) would overflow the clock.
  return std::min<Duration>(std::chrono::hours(24 * 365), interval) + jitter_;
}

bool Prober::Target::is_due() const {
  return !is_under_way_ && !member_->status().has(Flag::stopped) &&
         parts_.loop.now() > last_end_ + wait();
}

void Prober::Target::begin() {
  is_under_way_ = true;
  ++under_way_;
  began_ = parts_.loop.now();
  rules_under_way_ = rules_;
  deadline_.arm(parts_.loop.timers(), began_ + whole_time(plan_for(*rules_, balancer_->name())));
  check_ = run(rules_);
  check_.start();
}

io::Task<> Prober::Target::run(std::shared_ptr<const TargetRules> rules) {
  tell(*rules, LogLevel::debug, fmt::format("AH03256: Health checking {}", rules->member.name));
  Check check(parts_.loop, parts_.dialer, plan_for(*rules, balancer_->name()));
  Judgement judged = co_await check.run();
  finish(*rules, std::move(judged));
}

// Outside of the check's own coroutine, which can therefore be destroyed.
void Prober::Target::give_up() {
  check_ = {};
  Judgement judged;
  const Duration took = parts_.loop.now() - began_;
  judged.evidence.latency = took;
  judged.evidence.text = fmt::format("not over within {} ms", took / std::chrono::milliseconds(1));
  finish(*rules_under_way_, std::move(judged));
}

void Prober::Target::cancel() {
  deadline_.disarm();
  check_ = {};
  if (std::exchange(is_under_way_, false)) --under_way_;
}

void Prober::Target::tidy() {
  if (is_under_way_ || rules_under_way_ == nullptr) return;
  check_ = {};
  rules_under_way_.reset();
}

void Prober::Target::finish(const TargetRules& rules, Judgement judged) {
  deadline_.disarm();
  is_under_way_ = false;
  --under_way_;
  last_end_ = parts_.loop.now();
  draw_jitter();
  if (!judged.says_something) {
    tell(rules, LogLevel::warn,
         fmt::format("{} was not checked: {}", rules.member.name, judged.evidence.text));
    member_->health_log().set_next_check(last_end_ + wait());
    return;
  }
  tell_of_verdict(rules, judged);
  const CheckEffect effect = balancer_->check_finished(
      member_, {.ended = last_end_, .verdict = judged.verdict, .evidence = judged.evidence});
  member_->health_log().set_next_check(last_end_ + wait());
  if (effect == CheckEffect::none) return;
  const bool enabled = effect == CheckEffect::enabled;
  tell(rules, LogLevel::info,
       fmt::format("{}: Health check {} {}: {} after {} ms", enabled ? "AH03302" : "AH03303",
                   enabled ? "ENABLING" : "DISABLING", rules.member.name, judged.evidence.text,
                   judged.evidence.latency / std::chrono::milliseconds(1)));
}

void Prober::Target::tell_of_verdict(const TargetRules& rules, const Judgement& judged) const {
  if (!judged.status_line.empty()) tell(rules, LogLevel::debug, "AH03254: " + judged.status_line);
  if (!judged.words.empty())
    tell(rules, LogLevel::info, fmt::format("AH01071: Got error '{}'", judged.words));
  if (!judged.eval_error.empty()) {
    tell(rules, LogLevel::info,
         fmt::format("AH03301: Condition {} of {} could not be evaluated: {}",
                     rules.member.check.expression, rules.member.name, judged.eval_error));
  }
  tell(rules, LogLevel::debug,
       fmt::format("AH03251: Health check {} Status ({}) for {}: {}",
                   balance::check_method_name(rules.member.check.method),
                   judged.verdict == CheckVerdict::passed ? 0 : 1, rules.member.name,
                   judged.evidence.text));
}

void Prober::Target::tell(const TargetRules& rules, LogLevel level, std::string_view text) const {
  if (level > rules.server->log_levels.of(module)) return;
  proxy::ErrorLine line;
  line.level = level;
  line.module = module;
  line.text = text;
  line.when = parts_.loop.wall_now();
  parts_.log.error(rules.server->error_log, line);
}

}  // namespace steelyard::health
