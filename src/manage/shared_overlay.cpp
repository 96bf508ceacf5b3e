#include "manage/shared_overlay.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "balance/editable.hpp"

namespace steelyard::manage {

namespace {

using balance::BalancerSpec;
using balance::Edit;
using balance::Flag;
using balance::MemberEdits;
using balance::Membership;
using balance::MemberSpec;
using balance::Overlay;
using cluster::FieldKey;
using cluster::FieldValue;
using cluster::Wish;

using Fields = std::map<FieldKey, FieldValue>;

constexpr std::string_view membership_field = "member";

const std::string* text_of(Membership membership) {
  static const std::string added = "added";
  static const std::string removed = "removed";
  if (membership == Membership::configured) return nullptr;
  return membership == Membership::added ? &added : &removed;
}

// Reads the fields of one balancer, in the order of their keys: a member's stand together.
class Reading {
 public:
  Reading(const NamedBalancer& balancer, const KnowsCondition& knows_condition)
      : knows_condition_(knows_condition),
        spec_(*balance::Edits(*balancer.state).configured()),
        added_max_(balance::added_max_of(*balancer.state->spec())) {
    for (const balance::MemberView& view : balancer.state->members()) {
      // What an order set at once is shared, and not this instance's own.
      const bool ended_here = view.drain && view.drain->has_stopped_it &&
                              view.drain->order.pace == balance::DrainOrder::Pace::sessions_stay;
      if (ended_here) stopped_by_drains_.insert(view.spec->name);
    }
  }

  Instructions read(const Fields& fields) {
    for (const auto& [key, value] : fields) {
      if (!is_text_fit(value)) {
        leave_out(key, "it holds control characters");
      } else if (key.field == membership_field) {
        take_membership(key, value);
      } else if (key.member.empty()) {
        take_field(key, value, spec_, result_.overlay.balancer);
      } else {
        take_member_field(key, value);
      }
    }
    for (MemberEdits& member : members_) {
      const bool is_removed = member.membership == Membership::removed;
      if (is_removed) member.edits.clear();
      const bool is_void = member.membership == Membership::configured && member.edits.empty();
      if (!is_void) result_.overlay.members.push_back(std::move(member));
    }
    return std::move(result_);
  }

 private:
  static bool is_text_fit(const FieldValue& value) {
    return std::ranges::none_of(value.value + value.configured, [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
  }

  void leave_out(const FieldKey& key, std::string why) {
    result_.left_out.push_back({key, std::move(why)});
  }

  MemberEdits& of(const std::string& name) {
    if (members_.empty() || members_.back().member != name)
      members_.push_back({.member = name, .edits = {}});
    return members_.back();
  }

  void take_membership(const FieldKey& key, const FieldValue& value) {
    if (key.member.empty()) return leave_out(key, "a balancer is no member");
    if (value.value == "removed") {
      of(key.member).membership = Membership::removed;
      return;
    }
    if (value.value != "added") return leave_out(key, "it is neither added nor removed");
    const auto added = balance::added_member(key.member);
    if (!added) return leave_out(key, added.error());
    if (added->name != key.member) return leave_out(key, "its name is written otherwise");
    if (is_configured(key.member)) return;
    if (added_ >= added_max_)
      return leave_out(
          key, "the balancer may have " + std::to_string(added_max_) + " added members (growth=)");
    ++added_;
    of(key.member).membership = Membership::added;
  }

  void take_member_field(const FieldKey& key, const FieldValue& value) {
    MemberEdits& member = of(key.member);
    MemberSpec spec = spec_of(key.member);
    FieldValue here = value;
    if (key.field == "status" && stopped_by_drains_.contains(key.member)) keep_stopped(here.value);
    take_field(key, here, spec, member.edits);
  }

  // N is the order to drain; what it led to here is this instance's own.
  static void keep_stopped(std::string& letters) {
    MemberSpec spec;
    if (!set_text(spec, "status", letters) || !spec.status.has(Flag::draining)) return;
    spec.status = spec.status.with(Flag::stopped);
    letters = letters_of(spec.status);
  }

  template <class Spec>
  void take_field(const FieldKey& key, const FieldValue& value, const Spec& configured,
                  std::vector<Edit>& edits) {
    Spec scratch = configured;
    if (key.field == "hcexpr" && !value.value.empty() && !knows_condition_(value.value))
      return leave_out(key, "there is no ProxyHCExpr of this name here");
    if (auto done = set_text(scratch, key.field, value.value); !done)
      return leave_out(key, done.error());
    if (text_of(scratch, key.field) != value.value)
      return leave_out(key, "the value is written otherwise");
    if (value.value != value.configured)
      edits.push_back({key.field, value.configured, value.value});
  }

  bool is_configured(const std::string& name) const {
    return std::ranges::find(spec_.members, name, &MemberSpec::name) != spec_.members.end();
  }
  // What a field is laid over does not matter for whether it can be.
  MemberSpec spec_of(const std::string& name) const {
    const auto found = std::ranges::find(spec_.members, name, &MemberSpec::name);
    return found != spec_.members.end() ? *found : MemberSpec();
  }

  const KnowsCondition& knows_condition_;
  const BalancerSpec spec_;
  const int added_max_;
  int added_ = 0;
  std::set<std::string> stopped_by_drains_;
  std::vector<MemberEdits> members_;
  Instructions result_;
};

void add_wishes(const FieldKey& balancer, const std::string& member, const std::vector<Edit>& edits,
                std::vector<Wish>& wishes) {
  for (const Edit& edit : edits) {
    FieldKey key = balancer;
    key.member = member;
    key.field = edit.field;
    wishes.push_back(
        {std::move(key), FieldValue{.value = edit.value, .configured = edit.configured}});
  }
}

std::vector<Wish> member_wishes(const FieldKey& balancer, const MemberEdits& member) {
  std::vector<Wish> wishes;
  if (const std::string* const membership = text_of(member.membership)) {
    FieldKey key = balancer;
    key.member = member.member;
    key.field = membership_field;
    wishes.push_back({std::move(key), FieldValue{.value = *membership}});
  }
  add_wishes(balancer, member.member, member.edits, wishes);
  return wishes;
}

bool is_the_same(const std::optional<FieldValue>& wish, const FieldValue* counts) {
  if (!wish || counts == nullptr) return !wish && counts == nullptr;
  return wish->value == counts->value && wish->configured == counts->configured;
}

}  // namespace

FieldKey shared_key(const journal::BalancerKey& balancer) {
  return {.scope = balancer.scope, .balancer = balancer.name, .member = {}, .field = {}};
}

Instructions instructions_of(const Fields& fields, const NamedBalancer& balancer,
                             const KnowsCondition& knows_condition) {
  return Reading(balancer, knows_condition).read(fields);
}

bool orders_drain_alone(const std::string& letters) {
  MemberSpec spec;
  return set_text(spec, "status", letters) && spec.status.has(Flag::draining) &&
         !spec.status.has(Flag::stopped);
}

std::vector<Wish> wishes_of(const journal::BalancerKey& balancer,
                            const std::vector<balance::Change>& changes, const Overlay& after,
                            const Fields& before) {
  const FieldKey whole = shared_key(balancer);
  std::map<FieldKey, std::optional<FieldValue>> all;
  for (const auto& [key, value] : before) all[key] = std::nullopt;
  // Taken back: as a value that changes nothing, so that others learn who said so and why.
  for (const balance::Change& change : changes) {
    FieldKey key = whole;
    key.member = change.member;
    key.field = change.field;
    if (key.field != membership_field && all.contains(key))
      all[key] = FieldValue{.value = change.after, .configured = change.after};
  }
  for (const std::vector<Wish>& wishes : wishes_of(balancer, after)) {
    for (const Wish& wish : wishes) all[wish.key] = wish.value;
  }
  // With a member all of its fields come and go.
  const auto is_touched = [&](const FieldKey& key) {
    return std::ranges::any_of(changes, [&](const balance::Change& change) {
      return change.member == key.member &&
             (change.field == key.field || change.field == membership_field);
    });
  };
  std::vector<Wish> wishes;
  for (auto& [key, value] : all) {
    const auto counts = before.find(key);
    const bool is_new = !is_the_same(value, counts != before.end() ? &counts->second : nullptr);
    if (is_new && is_touched(key)) wishes.push_back({key, std::move(value)});
  }
  return wishes;
}

std::vector<std::vector<Wish>> wishes_of(const journal::BalancerKey& balancer,
                                         const Overlay& overlay) {
  const FieldKey whole = shared_key(balancer);
  std::vector<std::vector<Wish>> all;
  std::vector<Wish> own;
  add_wishes(whole, {}, overlay.balancer, own);
  if (!own.empty()) all.push_back(std::move(own));
  for (const MemberEdits& member : overlay.members) all.push_back(member_wishes(whole, member));
  return all;
}

}  // namespace steelyard::manage
