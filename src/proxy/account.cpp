#include "proxy/account.hpp"

namespace steelyard::proxy {

void account_attempt(MemberCells& cells, const AttemptEnd& end) {
  cells.picks[static_cast<std::size_t>(end.reason)].add();
  if (end.status != 0) cells.responses[status_class(end.status)].add();
  if (!end.failure) cells.total.observe(end.took);
  if (end.failure) cells.failures.count(end.failure.party, end.failure.cause);
  if (end.sent_again) cells.resends[static_cast<std::size_t>(*end.sent_again)].add();
}

void account_exchange(const Exchange& x, ServerCells& server, ShardCells& shard) {
  const Duration took = x.ended_at - x.began_at;
  server.responses[x.broken_off ? 0 : status_class(x.status)].add();
  server.received_bytes.add(static_cast<std::uint64_t>(x.bytes.received));
  server.sent_bytes.add(static_cast<std::uint64_t>(x.bytes.sent));
  server.duration.observe(took);
  if (x.failed.cause != Cause::none) server.failures.count(x.failed.party, x.failed.cause);
  shard.exchanges.add();
  shard.body_sent_bytes.add(static_cast<std::uint64_t>(x.bytes.body_sent));
  shard.exchange_nanoseconds.add(static_cast<std::uint64_t>(took.count()));
}

}  // namespace steelyard::proxy
