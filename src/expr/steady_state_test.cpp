#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "expr/condition.hpp"
#include "expr/env_rule.hpp"
#include "expr/header_rule.hpp"
#include "expr/log_format.hpp"
#include "expr/require.hpp"
#include "expr/string_expression.hpp"
#include "expr/table_facts.hpp"

// Counts what the whole program takes from the heap: once warm, an exchange takes nothing.

namespace {

thread_local std::size_t heap_takes = 0;

void* take_from_heap(std::size_t bytes) {
  ++heap_takes;
  void* const room = std::malloc(bytes == 0 ? 1 : bytes);
  if (room == nullptr) std::abort();
  return room;
}

}  // namespace

void* operator new(std::size_t bytes) { return take_from_heap(bytes); }
void* operator new[](std::size_t bytes) { return take_from_heap(bytes); }
void operator delete(void* room) noexcept { std::free(room); }
void operator delete[](void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t /*bytes*/) noexcept { std::free(room); }
void operator delete[](void* room, std::size_t /*bytes*/) noexcept { std::free(room); }

namespace steelyard::expr {
namespace {

using Words = std::vector<std::string>;

struct Exchange {
  Exchange() {
    facts.texts = {{TextFact::client_ip, "192.0.2.17"},
                   {TextFact::request_line, "GET /app/page?x=1 HTTP/1.1"},
                   {TextFact::path, "/app/page"},
                   {TextFact::method, "GET"}};
    facts.numbers = {{NumberFact::status, 200}, {NumberFact::body_bytes_sent, 5120}};
    facts.request = {{"User-Agent", "Mozilla/5.0"}, {"Cookie", "ROUTEID=.a; b=2"}};
    facts.response = {{"Content-Type", "text/html"}};
    facts.variables = {{"BALANCER_WORKER_ROUTE", "a"}, {"CHANGED", "1"}};
    facts.begin = WallTime(std::chrono::seconds(1'700'000'000));
    facts.end = facts.begin + std::chrono::milliseconds(3);
    for (const Words& words :
         {Words{"add", "Set-Cookie", "ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/", "env=CHANGED"},
          Words{"append", "Via", "x"}, Words{"edit*", "Server", "a(.)", "<$1$0>"},
          Words{"merge", "Vary", "Accept"}, Words{"set", "X-U", "expr=%{tolower:%{REQUEST_URI}}!"},
          Words{"unset", "ETag"},
          Words{"set", "X-Plain", "1",
                "expr=%{resp:Content-Type} =~ /^text/ && req('Cookie') != ''"}}) {
      header_rules.push_back(HeaderRule::parse_response(words).value());
    }
    for (const Words& words : {Words{"User-Agent", "Mozilla/(.)", "V=$1", "!OLD"},
                               Words{"^Cook", "ROUTEID=.([^;]*)", "R=$1"}}) {
      env_rules.push_back(EnvRule::parse(EnvDirective::set_env_if, words).value());
    }
    env_rules.push_back(EnvRule::parse(EnvDirective::set_env_if_expr,
                                       Words{"%{REQUEST_URI} =~ m#^/(a..)/#", "AREA=$1"})
                            .value());
    RequireBuilder builder;
    builder.require(Words{"expr", "%{REQUEST_METHOD} == 'POST' || -R '10.0.0.0/8'"}).value();
    builder.require(Words{"ip", "192.0.2.0/24", "::1"}).value();
    builder.require(Words{"env", "CHANGED"}).value();
    builder.deny(Words{"from", "10.1"}).value();
    require = builder.finish().value();
  }

  void run() {
    arena.reset();
    fields.clear();
    fields.add("Server", "banana");
    fields.add("Via", "y");
    fields.add("Vary", "Accept, Host");
    fields.add("ETag", "e");
    environment.clear();
    notes.clear();
    line.clear();
    apply(env_rules, facts, environment, arena);
    Evaluation evaluation{facts, arena};
    allowed = require->decide(evaluation) == Admission::allowed;
    apply(header_rules, {fields, notes, arena}, facts);
    format.write(facts, line);
    evaluation.groups = {};
    held = condition.evaluate(evaluation).value();
  }

  TableFacts facts;
  std::vector<HeaderRule> header_rules;
  std::vector<EnvRule> env_rules;
  std::shared_ptr<const Require> require;
  LogFormat format =
      LogFormat::compile(R"(%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i" )"
                         R"(%{BALANCER_WORKER_ROUTE}e %{ROUTEID}C %D %{%F}t %{end:usec}t)")
          .value();
  http::FieldList fields;
  Environment environment, notes;
  Arena arena;
  std::string line;
  Condition condition =
      Condition::compile(R"(%{tolower:%{HTTP_USER_AGENT}} =~ m#^(mozilla)/(\d)# && $2 -ge 5 && )"
                         R"(md5($1) . '%{escape:%{REQUEST_URI} x}' !~ /none/ && )"
                         R"(%{REQUEST_METHOD} -in {'GET', 'HE' . 'AD'} && )"
                         R"(%{REMOTE_ADDR} -ipmatch '192.0.2.0/24' && -n base64($0))")
          .value();
  bool allowed = false;
  bool held = false;
};

TEST(SteadyState, an_exchange_takes_nothing_from_the_heap) {
  Exchange exchange;
  for (int i = 0; i < 3; ++i) exchange.run();
  const std::size_t before = heap_takes;
  for (int i = 0; i < 100; ++i) exchange.run();
  EXPECT_EQ(heap_takes, before);
  EXPECT_TRUE(exchange.allowed);
  EXPECT_TRUE(exchange.held);
  EXPECT_EQ(exchange.environment.find("AREA"), "app");
  EXPECT_EQ(exchange.fields.value("X-Plain"), "1");
  EXPECT_EQ(exchange.environment.find("R"), "a");
  EXPECT_EQ(exchange.fields.value("Set-Cookie"), "ROUTEID=.a; path=/");
  EXPECT_EQ(exchange.fields.value("Server"), "b<nan><nan>a");
  EXPECT_TRUE(exchange.line.contains("5120 \"-\" \"Mozilla/5.0\" a .a 0 "));
}

}  // namespace
}  // namespace steelyard::expr
