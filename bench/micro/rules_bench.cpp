// What the rules of a configuration cost for each request: Header, SetEnvIf, Require, LogFormat,
// and conditions.
//
//   rules_bench --benchmark_filter=log
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/arena.hpp"
#include "expr/condition.hpp"
#include "expr/env_rule.hpp"
#include "expr/header_rule.hpp"
#include "expr/json_format.hpp"
#include "expr/log_format.hpp"
#include "expr/require.hpp"
#include "expr/table_facts.hpp"
#include "expr/timeline.hpp"

namespace steelyard::expr {
namespace {

using Words = std::vector<std::string>;

TableFacts facts() {
  TableFacts made;
  made.texts = {{TextFact::client_ip, "192.0.2.17"},
                {TextFact::request_line, "GET /app/page?x=1 HTTP/1.1"},
                {TextFact::path, "/app/page"},
                {TextFact::method, "GET"}};
  made.numbers = {{NumberFact::status, 200}, {NumberFact::body_bytes_sent, 5120}};
  made.request = {{"User-Agent", "Mozilla/5.0"}, {"Cookie", "ROUTEID=.a; b=2"}};
  made.response = {{"Content-Type", "text/html"}};
  made.variables = {{"BALANCER_WORKER_ROUTE", "a"}, {"BALANCER_ROUTE_CHANGED", "1"}};
  made.begin = WallTime(std::chrono::seconds(1'700'000'000));
  made.end = made.begin + std::chrono::milliseconds(3);
  return made;
}

void header_rules(benchmark::State& state, const std::vector<Words>& all) {
  std::vector<HeaderRule> rules;
  for (const Words& words : all) rules.push_back(HeaderRule::parse_response(words).value());
  const TableFacts about = facts();
  http::FieldList fields;
  Environment notes;
  Arena arena;
  for (auto _ : state) {
    arena.reset();
    fields.clear();
    fields.add("Content-Type", "text/html");
    fields.add("Server", "Apache-Coyote/1.1");
    fields.add("Vary", "Accept");
    fields.add("ETag", "\"5f3c\"");
    benchmark::DoNotOptimize(apply(rules, {fields, notes, arena}, about));
  }
}

void header_set(benchmark::State& state) {
  header_rules(state, {Words{"set", "X-Frame-Options", "DENY"}});
}
void header_route_cookie(benchmark::State& state) {
  header_rules(state, {Words{"add", "Set-Cookie", "ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/",
                             "env=BALANCER_ROUTE_CHANGED"}});
}
void header_six(benchmark::State& state) {
  header_rules(state, {Words{"set", "X-Frame-Options", "DENY"}, Words{"append", "Via", "x"},
                       Words{"edit", "Server", "Coyote", "x"}, Words{"merge", "Vary", "Cookie"},
                       Words{"unset", "ETag"}, Words{"set", "X-Time", "%D"}});
}
BENCHMARK(header_set)->Name("header/set");
BENCHMARK(header_route_cookie)->Name("header/route_cookie");
BENCHMARK(header_six)->Name("header/six_rules");

void log_line(benchmark::State& state, const char* format_text) {
  const LogFormat format = LogFormat::compile(format_text).value();
  const TableFacts about = facts();
  std::string line;
  for (auto _ : state) {
    line.clear();
    format.write(about, line);
    benchmark::DoNotOptimize(line);
  }
}
void log_common(benchmark::State& state) { log_line(state, R"(%h %l %u %t "%r" %>s %b)"); }
void log_combined(benchmark::State& state) {
  log_line(state, R"(%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i")");
}
void log_sessions(benchmark::State& state) {
  log_line(state, R"(%h %t "%r" %>s %D "%{Cookie}i" %{BALANCER_WORKER_ROUTE}e)"
                  R"( %{BALANCER_ROUTE_CHANGED}e %{%F}t)");
}
BENCHMARK(log_common)->Name("log/common");
BENCHMARK(log_combined)->Name("log/combined");
BENCHMARK(log_sessions)->Name("log/lost_sessions");

// The usual fields of SteelyardJsonLog, with one attempt at a member.
void log_json(benchmark::State& state) {
  const JsonFormat format = JsonFormat::compile({}).value();
  TableFacts about = facts();
  Timeline timeline;
  timeline.balancer = "balancer://app";
  timeline.ended_by = "backend";
  timeline.end_cause = "complete";
  Attempt attempt;
  attempt.balancer = timeline.balancer;
  attempt.member = "http://10.0.0.1:8080";
  attempt.route = "m1";
  attempt.reason = "policy";
  attempt.status = 200;
  attempt.pooled = true;
  attempt.began = attempt.connected_at = attempt.sent_at = Instant(std::chrono::seconds(1));
  attempt.head_at = attempt.ended = attempt.began + std::chrono::microseconds(1500);
  timeline.attempts.push_back(attempt);
  about.times = &timeline;
  std::string line;
  for (auto _ : state) {
    line.clear();
    format.write(about, line);
    benchmark::DoNotOptimize(line);
  }
}
BENCHMARK(log_json)->Name("log/json");

void require_ip(benchmark::State& state) {
  RequireBuilder builder;
  builder.require(Words{"ip", "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"}).value();
  const auto require = builder.finish().value();
  const TableFacts about = facts();
  Arena arena;
  for (auto _ : state) {
    Evaluation evaluation{about, arena};
    benchmark::DoNotOptimize(require->decide(evaluation));
  }
}
BENCHMARK(require_ip);

// Allocates nothing: expr/steady_state_test.cpp holds that.
void condition(benchmark::State& state, std::string_view text) {
  const Condition compiled = Condition::compile(text).value();
  const TableFacts about = facts();
  Arena arena;
  for (auto _ : state) {
    arena.reset();
    benchmark::DoNotOptimize(compiled.evaluate(about, arena));
  }
}
void condition_typical(benchmark::State& state) {
  condition(state, "%{REQUEST_METHOD} == 'GET' && %{REQUEST_URI} =~ m#^/(app|api)/#");
}
void condition_of_field(benchmark::State& state) {
  condition(state, "%{HTTP_USER_AGENT} -strmatch 'Mozilla/*' || req('X-Mode') -in {'a', 'b'}");
}
BENCHMARK(condition_typical)->Name("condition/typical");
BENCHMARK(condition_of_field)->Name("condition/of_field");

}  // namespace
}  // namespace steelyard::expr
