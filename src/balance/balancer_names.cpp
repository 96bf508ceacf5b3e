// What the names of members lead to, as news for their balancer.

#include <algorithm>
#include <utility>

#include "balance/balancer.hpp"

namespace steelyard::balance {

namespace {

bool share_one(const std::vector<IpAddress>& some, const std::vector<IpAddress>& others) {
  return std::ranges::any_of(some, [&](const IpAddress& address) {
    return std::ranges::find(others, address) != others.end();
  });
}

}  // namespace

bool Balancer::take_addresses(const MemberRef& member, AddressList addresses, Instant now) {
  const std::lock_guard guard(lock_);
  const AddressList before = member->addresses_.list();
  if (before != nullptr && *before == *addresses) return false;
  const bool moved = before == nullptr || !share_one(*before, *addresses);
  std::string places;
  for (const IpAddress& address : *addresses)
    places += (places.empty() ? "" : ", ") + address.text();
  member->addresses_.replace(std::move(addresses));
  const Position at = roster_.find(*member);
  if (at == nobody || !moved) return true;
  // The first answer comes while requests may have met errors at the same addresses already.
  const Health health = roster_.health(at);
  if (before == nullptr && !health.status.has(Flag::nameless)) return true;
  roster_.take(
      at, after_lookup(health, NameLookup::finds),
      {.cause = HealthCause::name_found, .when = now, .evidence = {.text = std::move(places)}});
  return true;
}

bool Balancer::name_failed(const MemberRef& member, std::string reason, Instant now) {
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(*member);
  if (at == nobody || member->addresses_.list() != nullptr) return false;
  // Asked before a reload, after which nobody looks after the name any more.
  if (!roster_.spec(at).has_watched_name()) return false;
  // Outside balancers a member is never down; its requests fail with 500, as in httpd.
  if (roster_.status(at).has(Flag::ignore_errors)) return false;
  const bool was_down = roster_.status(at).has(Flag::nameless);
  member->addresses_.set_fault(reason);
  if (was_down) return false;
  roster_.take(
      at, after_lookup(roster_.health(at), NameLookup::fails),
      {.cause = HealthCause::name_lost, .when = now, .evidence = {.text = std::move(reason)}});
  return true;
}

// A name that a reload makes stand for each of its addresses is known from the member that had all
// of them: nobody has to wait for the next lookup.
void Balancer::answer_from_members(const BalancerSpec& next) {
  const std::lock_guard guard(lock_);
  for (const MemberSpec& wanted : next.members) {
    if (wanted.meaning != NameMeaning::addresses) continue;
    for (Position at = 0; at < roster_.size(); ++at) {
      const AddressList known = roster_.ref(at)->addresses().list();
      if (known == nullptr || roster_.spec(at).host != wanted.host) continue;
      composition_.answers.try_emplace({wanted.meaning, wanted.host},
                                       NameAnswer{.addresses = *known, .services = {}});
      break;
    }
  }
}

void Balancer::take_answer(NameMeaning meaning, const std::string& name, NameAnswer answer,
                           Instant now) {
  std::unique_lock guard(lock_);
  composition_.take(meaning, name, std::move(answer));
  const Composition composition = composition_;
  guard.unlock();
  PreparedSpec prepared = prepare(composition);
  guard.lock();
  adopt_members(now, std::move(prepared));
}

}  // namespace steelyard::balance
