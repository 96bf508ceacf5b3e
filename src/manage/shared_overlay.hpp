// Operators' changes of one balancer, between the forms of an instance (balance/overlay.hpp) and of
// a cluster (cluster/field.hpp).
//
// What others share is trusted as little as what an operator types: each value is looked at as his
// would be, and what is wrong is left out and told.
//
// Pure, but for what it reads of the balancer.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "balance/edits.hpp"
#include "balance/overlay.hpp"
#include "cluster/ledger.hpp"
#include "journal/record.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

// Of a balancer as a whole: without member and field.
[[nodiscard]] cluster::FieldKey shared_key(const journal::BalancerKey& balancer);

// A field that does not count here.
struct LeftOut {
  cluster::FieldKey key;
  std::string why;
  friend auto operator<=>(const LeftOut&, const LeftOut&) = default;
};

struct Instructions {
  balance::Overlay overlay;
  std::vector<LeftOut> left_out;
};

// Whether hcexpr= may name it.
using KnowsCondition = std::function<bool(std::string_view name)>;

// What the fields of the balancer mean for it. A drain that ended here stopped the member here:
// that stays, as each instance sees its own sessions.
[[nodiscard]] Instructions instructions_of(
    const std::map<cluster::FieldKey, cluster::FieldValue>& fields, const NamedBalancer& balancer,
    const KnowsCondition& knows_condition);

// Of the field "status": to be drained, and not stopped.
[[nodiscard]] bool orders_drain_alone(const std::string& letters);

// What has to be shared of changes that make `after`, where `before` counts. Values have texts
// alone.
[[nodiscard]] std::vector<cluster::Wish> wishes_of(
    const journal::BalancerKey& balancer, const std::vector<balance::Change>& changes,
    const balance::Overlay& after, const std::map<cluster::FieldKey, cluster::FieldValue>& before);

// All that counts of it here, for a cluster that it was no part of: one list a member.
[[nodiscard]] std::vector<std::vector<cluster::Wish>> wishes_of(
    const journal::BalancerKey& balancer, const balance::Overlay& overlay);

}  // namespace steelyard::manage
