#include "balance/pick_tables.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "balance/hashing.hpp"
#include "base/check.hpp"

namespace steelyard::balance {

std::shared_ptr<const PickTables> PickTables::build(const BalancerSpec& spec) {
  const Lookup lookup = traits_of(spec.effective_policy()).lookup;
  if (lookup == Lookup::none) return nullptr;
  auto tables = std::make_shared<PickTables>();
  std::map<int, std::vector<KeyOwner>> owners_by_set;
  std::unordered_set<std::string_view> placed;
  for (const MemberSpec& member : spec.members) {
    if (!placed.insert(member.name).second) continue;
    const auto at = static_cast<Position>(tables->identities_.size());
    tables->identities_.push_back(hash_of(member.name));
    owners_by_set[member.lbset].push_back({at, tables->identities_.back(), member.load_factor});
  }
  for (const auto& [lbset, owners] : owners_by_set) {
    std::vector<Weighted> weights;
    weights.reserve(owners.size());
    for (const KeyOwner& owner : owners) weights.push_back({owner.position, owner.factor});
    SetTables& set = tables->sets_.emplace_back();
    set.lbset = lbset;
    set.weights = WeightTable(weights);
    if (lookup == Lookup::ring) set.ring = HashRing(owners);
    if (lookup == Lookup::maglev) set.maglev = MaglevTable(owners);
  }
  return tables;
}

bool PickTables::same(const BalancerSpec& spec, const BalancerSpec& other) {
  if (traits_of(spec.effective_policy()).lookup != traits_of(other.effective_policy()).lookup) {
    return false;
  }
  return std::ranges::equal(
      spec.members, other.members, [](const MemberSpec& one, const MemberSpec& two) {
        return one.name == two.name && one.load_factor == two.load_factor && one.lbset == two.lbset;
      });
}

const SetTables& PickTables::of_set(int lbset) const {
  const auto found = std::ranges::find(sets_, lbset, &SetTables::lbset);
  CHECK(found != sets_.end());
  return *found;
}

}  // namespace steelyard::balance
