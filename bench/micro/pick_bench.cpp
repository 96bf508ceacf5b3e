// What a choice costs: pick, lease and its end, uncontended, by policy and number of members.
//
//   pick_bench --benchmark_filter=by_requests
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "balance/balancer.hpp"
#include "balance/session.hpp"

namespace steelyard::balance {
namespace {

std::shared_ptr<BalancerSpec> members(std::int64_t count, Policy policy) {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://bench";
  spec->policy = policy;
  spec->sticky.cookie_name = spec->sticky.url_name = "JSESSIONID";
  for (std::int64_t i = 0; i < count; ++i) {
    MemberSpec member;
    member.name = "http://10.0.0.1:" + std::to_string(i);
    member.tag = "tag" + std::to_string(i);
    member.load_factor = 100 * static_cast<int>(1 + i % 3);
    spec->members.push_back(member);
  }
  return spec;
}

void pick_by(benchmark::State& state, Policy policy) {
  Balancer balancer(members(state.range(0), policy));
  const ChoiceRequest request{.session = {}, .now = Instant{}};
  for (auto _ : state) {
    const Decision decision = balancer.choose(request);
    decision.lease.member().add_transferred(300);
    decision.lease.member().add_read(1024);
    benchmark::DoNotOptimize(decision.lease);
  }
}

void by_requests(benchmark::State& state) { pick_by(state, Policy::by_requests); }
void by_traffic(benchmark::State& state) { pick_by(state, Policy::by_traffic); }
void by_busyness(benchmark::State& state) { pick_by(state, Policy::by_busyness); }
BENCHMARK(by_requests)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(by_traffic)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(by_busyness)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);

// One member of the middle is in error, its retry far away.
void one_in_error(benchmark::State& state) {
  Balancer balancer(members(state.range(0), Policy::by_requests));
  const auto all = balancer.members();
  balancer.change_status(all[all.size() / 2].member, Flag::in_error | Flag::stopped, {});
  const ChoiceRequest request{.session = {}, .now = Instant{}};
  for (auto _ : state) benchmark::DoNotOptimize(balancer.choose(request).lease);
}
BENCHMARK(one_in_error)->Arg(10)->Arg(1000)->Arg(10000);

// The cookie is searched too.
void sticky_hit(benchmark::State& state) {
  const auto spec = members(state.range(0), Policy::by_requests);
  Balancer balancer(spec);
  const std::string cookies = "theme=dark; lang=en; JSESSIONID=0123456789ABCDEF0123456789ABCDEF." +
                              spec->members.back().tag;
  for (auto _ : state) {
    const Session session = find_session(
        spec->sticky,
        {.url_path = "/shop/cart/items", .query = "page=3&sort=price", .cookies = cookies});
    benchmark::DoNotOptimize(balancer.choose({.session = session, .now = Instant{}}).lease);
  }
}
BENCHMARK(sticky_hit)->Arg(10)->Arg(1000)->Arg(10000);

// Every second request has a session, so each pick settles what the session before it left owing.
void sticky_mixed(benchmark::State& state) {
  const auto spec = members(state.range(0), Policy::by_requests);
  Balancer balancer(spec);
  Session session;
  session.found = true;
  session.tag = spec->members.back().tag;
  bool with_session = false;
  for (auto _ : state) {
    with_session = !with_session;
    ChoiceRequest request{.session = {}, .now = Instant{}};
    if (with_session) request.session = session;
    benchmark::DoNotOptimize(balancer.choose(request).lease);
  }
}
BENCHMARK(sticky_mixed)->Arg(10)->Arg(1000)->Arg(10000);

}  // namespace
}  // namespace steelyard::balance
