// What a choice costs: pick, lease and its end, uncontended, by policy and number of members.
//
//   pick_bench --benchmark_filter=by_requests
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "balance/balancer.hpp"
#include "balance/hashing.hpp"
#include "balance/pick_tables.hpp"
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
  ChoiceRequest request{.session = {}, .now = Instant{} + std::chrono::hours(1)};
  std::array<char, 16> key{};
  for (auto _ : state) {
    // Each request has numbers and a key of its own: nothing is where the last one left it.
    request.random = mixed(request.random + golden_step);
    std::memcpy(key.data(), &request.random, sizeof request.random);
    request.key = {key.data(), key.size()};
    const Decision decision = balancer.choose(request);
    decision.lease.member().add_transferred(300);
    decision.lease.member().add_read(1024);
    balancer.observe_latency(decision.lease, std::chrono::microseconds(300), request.now);
    benchmark::DoNotOptimize(decision.lease);
  }
}

void by_requests(benchmark::State& state) { pick_by(state, Policy::by_requests); }
void by_traffic(benchmark::State& state) { pick_by(state, Policy::by_traffic); }
void by_busyness(benchmark::State& state) { pick_by(state, Policy::by_busyness); }
BENCHMARK(by_requests)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(by_traffic)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(by_busyness)->Arg(2)->Arg(10)->Arg(1000)->Arg(10000);

void random_draw(benchmark::State& state) { pick_by(state, Policy::random); }
void two_random(benchmark::State& state) { pick_by(state, Policy::two_random); }
void least_time(benchmark::State& state) { pick_by(state, Policy::least_time); }
void hash_ring(benchmark::State& state) { pick_by(state, Policy::hash); }
void maglev(benchmark::State& state) { pick_by(state, Policy::maglev); }
BENCHMARK(random_draw)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(two_random)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(least_time)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(hash_ring)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(maglev)->Arg(10)->Arg(1000)->Arg(10000);

// What a reload pays for the tables, outside the lock.
void build_tables(benchmark::State& state, Policy policy) {
  const auto spec = members(state.range(0), policy);
  for (auto _ : state) benchmark::DoNotOptimize(PickTables::build(*spec));
}
void build_ring(benchmark::State& state) { build_tables(state, Policy::hash); }
void build_maglev(benchmark::State& state) { build_tables(state, Policy::maglev); }
BENCHMARK(build_ring)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(build_maglev)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);

// max= alone costs nothing that byrequests without it does not; with queue= each end of a lease is
// told and each choice looks for room.
void pick_with(benchmark::State& state, int connections_max, bool has_line) {
  auto spec = members(state.range(0), Policy::by_requests);
  for (MemberSpec& member : spec->members) member.pool.connections_max = connections_max;
  if (has_line) spec->queue = {.requests_max = 100, .time_max = std::chrono::seconds(1)};
  Balancer balancer(spec);
  const ChoiceRequest request{.session = {}, .now = Instant{}};
  for (auto _ : state) benchmark::DoNotOptimize(balancer.choose(request).lease);
}
void limited(benchmark::State& state) { pick_with(state, 100, false); }
void limited_with_line(benchmark::State& state) { pick_with(state, 100, true); }
void unlimited_with_line(benchmark::State& state) { pick_with(state, 0, true); }
BENCHMARK(limited)->Arg(10)->Arg(1000);
BENCHMARK(limited_with_line)->Arg(10)->Arg(1000);
BENCHMARK(unlimited_with_line)->Arg(10)->Arg(1000);

// One member of the middle is in error, its retry far away.
void one_in_error(benchmark::State& state) {
  Balancer balancer(members(state.range(0), Policy::by_requests));
  const auto all = balancer.members();
  balancer.change_status(all[all.size() / 2].member, Flag::in_error | Flag::stopped, {});
  const ChoiceRequest request{.session = {}, .now = Instant{}};
  for (auto _ : state) benchmark::DoNotOptimize(balancer.choose(request).lease);
}
BENCHMARK(one_in_error)->Arg(10)->Arg(1000)->Arg(10000);

// The cookie is searched too. Whether sessions are counted makes the difference of a hash.
void hit_session(benchmark::State& state, bool counted) {
  const auto spec = members(state.range(0), Policy::by_requests);
  Balancer balancer(spec);
  balancer.count_sessions(counted);
  const std::string cookies = "theme=dark; lang=en; JSESSIONID=0123456789ABCDEF0123456789ABCDEF." +
                              spec->members.back().tag;
  for (auto _ : state) {
    const Session session = find_session(
        spec->sticky,
        {.url_path = "/shop/cart/items", .query = "page=3&sort=price", .cookies = cookies});
    benchmark::DoNotOptimize(balancer.choose({.session = session, .now = Instant{}}).lease);
  }
}
void sticky_hit(benchmark::State& state) { hit_session(state, true); }
void sticky_hit_uncounted(benchmark::State& state) { hit_session(state, false); }
BENCHMARK(sticky_hit)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(sticky_hit_uncounted)->Arg(10)->Arg(1000);

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
