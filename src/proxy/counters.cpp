#include "proxy/counters.hpp"

namespace steelyard::proxy {

namespace {

template <std::size_t Size>
void add_each(std::array<Counter, Size>& sum, const std::array<Counter, Size>& more) {
  for (std::size_t i = 0; i < Size; ++i) sum[i].add(more[i].value());
}

void add_each(FailureCounts& sum, const FailureCounts& more) {
  for (std::size_t party = 0; party < party_count; ++party)
    add_each(sum.counts[party], more.counts[party]);
}

}  // namespace

std::string_view to_text(ResendProof proof) {
  switch (proof) {
    case ResendProof::not_sent:
      return "not_sent";
    case ResendProof::body_withheld:
      return "body_withheld";
    case ResendProof::idempotent:
      return "idempotent";
  }
  return {};
}

// Another member is only tried after failures that come before the request goes out, when a member
// did not ask for its body in time, and when a FastCGI member broke an idempotent one; with
// repeaton= after more, if it is idempotent.
ResendProof proof_of(const Failure& failure) {
  switch (failure.cause) {
    case Cause::continue_timed_out:
      return ResendProof::body_withheld;
    case Cause::closed:
    case Cause::bad_message:
    case Cause::cut_short:
    case Cause::timed_out:
    case Cause::write_timed_out:
    case Cause::unwanted:
      return ResendProof::idempotent;
    default:
      return ResendProof::not_sent;
  }
}

std::size_t status_class(int status) {
  return status >= 100 && status <= 599 ? static_cast<std::size_t>(status / 100) : 0;
}

void ServerCells::add(const ServerCells& other) {
  add_each(responses, other.responses);
  received_bytes.add(other.received_bytes.value());
  sent_bytes.add(other.sent_bytes.value());
  duration.add(other.duration);
  add_each(failures, other.failures);
}

void MemberCells::add(const MemberCells& other) {
  add_each(picks, other.picks);
  add_each(responses, other.responses);
  connect.add(other.connect);
  first_byte.add(other.first_byte);
  total.add(other.total);
  reuses.add(other.reuses.value());
  open.add(other.open.value());
  idle.add(other.idle.value());
  add_each(resends, other.resends);
  add_each(failures, other.failures);
}

void ShardCells::add(const ShardCells& other) {
  accepted.add(other.accepted.value());
  exchanges.add(other.exchanges.value());
  body_sent_bytes.add(other.body_sent_bytes.value());
  exchange_nanoseconds.add(other.exchange_nanoseconds.value());
}

std::shared_ptr<MemberTally> MemberTallies::of(const balance::MemberRef& member) {
  const std::lock_guard hold(lock_);
  Kept& kept = kept_[member.get()];
  if (!kept.tally) kept = {member, std::make_shared<MemberTally>()};
  return kept.tally;
}

void MemberTallies::add_to(MemberCells& sum, const balance::Member& member) const {
  const std::lock_guard hold(lock_);
  const auto found = kept_.find(&member);
  if (found != kept_.end()) found->second.tally->add_to(sum);
}

void MemberTallies::forget_retired() {
  const std::lock_guard hold(lock_);
  std::erase_if(kept_, [](const auto& entry) { return entry.second.member->retired(); });
}

}  // namespace steelyard::proxy
