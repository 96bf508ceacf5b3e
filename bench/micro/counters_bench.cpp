// What counting costs a request: all that an attempt and an exchange leave in counters and
// histograms, of different members one after the other.
//
//   counters_bench            members 1, 10, 1,000: the cells of many are not in the cache
#include <benchmark/benchmark.h>

#include <vector>

#include "proxy/account.hpp"
#include "proxy/exchange.hpp"

namespace steelyard::proxy {
namespace {

using std::chrono::microseconds;

void one_request(benchmark::State& state) {
  std::vector<MemberCells> members(static_cast<std::size_t>(state.range(0)));
  ServerCells server;
  ShardCells shard;
  Exchange x;
  x.status = 200;
  x.bytes.received = 180;
  x.bytes.sent = 1300;
  x.bytes.body_sent = 1024;
  const Failure none;
  std::size_t at = 0;
  for (auto _ : state) {
    MemberCells& member = members[at];
    at = at + 1 == members.size() ? 0 : at + 1;
    const Duration took = microseconds(100 + at % 1000);
    x.began_at = Instant{};
    x.ended_at = x.began_at + took;
    member.reuses.add();
    member.idle.add(-1);
    member.first_byte.observe(took);
    account_attempt(member, {balance::Reason::by_policy, 200, took, none, std::nullopt});
    member.idle.add(1);
    account_exchange(x, server, shard);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(one_request)->Arg(1)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace steelyard::proxy
