#include "balance/edits.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "balance/drains.hpp"
#include "balance/editable.hpp"

namespace steelyard::balance {

namespace {

using Kind = ChangeFault::Kind;

MemberSpec* find_member(BalancerSpec& spec, std::string_view name) {
  const auto found = std::ranges::find(spec.members, name, &MemberSpec::name);
  return found != spec.members.end() ? &*found : nullptr;
}

int added_members(const Overlay& overlay) {
  return static_cast<int>(
      std::ranges::count(overlay.members, Membership::added, &MemberEdits::membership));
}

std::string_view membership_text(const Overlay& overlay, const std::string& member) {
  const MemberEdits* const edits = overlay.find(member);
  if (edits == nullptr || edits->membership == Membership::configured) return "configured";
  return edits->membership == Membership::added ? "added" : "removed";
}

// The same field may have been changed twice: its first value before and its last one count.
void note(std::vector<Change>& changes, Change change) {
  for (Change& known : changes) {
    if (known.member != change.member || known.field != change.field) continue;
    known.after = std::move(change.after);
    return;
  }
  changes.push_back(std::move(change));
}

template <class Spec>
void note_fields(const std::string& member, const Spec& before, const Spec& after,
                 std::span<const std::string_view> fields, std::vector<Change>& changes) {
  for (const std::string_view field : fields) {
    std::string was = text_of(before, field);
    std::string is = text_of(after, field);
    if (was != is) changes.push_back({member, std::string(field), std::move(was), std::move(is)});
  }
}

// One of them is null for a member that comes or goes; both for one that a name leads to at times.
void note_member(const std::string& name, const MemberSpec* before, const MemberSpec* after,
                 const std::array<const Overlay*, 2>& overlays, std::vector<Change>& changes) {
  const auto& [overlay_before, overlay_after] = overlays;
  if (before != nullptr && after != nullptr)
    return note_fields(name, *before, *after, editable_member_fields(), changes);
  if (before != nullptr) {
    std::string was(membership_text(*overlay_before, name));
    const bool was_added = was == "added";
    changes.push_back({name, "member", std::move(was), was_added ? "" : "removed"});
  } else if (after != nullptr) {
    const bool is_added = membership_text(*overlay_after, name) == "added";
    changes.push_back(
        {name, "member", is_added ? "" : "removed", is_added ? "added" : "configured"});
    if (is_added) note_fields(name, MemberSpec(), *after, editable_member_fields(), changes);
  }
}

// Between two overlays only what one of them has can be different.
std::vector<Change> changes_between(const BalancerSpec& before, const BalancerSpec& after,
                                    const Overlay& overlay_before, const Overlay& overlay_after) {
  std::vector<Change> changes;
  note_fields({}, before, after, editable_balancer_fields(), changes);
  std::map<std::string_view, std::pair<const MemberSpec*, const MemberSpec*>> specs;
  for (const MemberSpec& member : before.members) specs[member.name].first = &member;
  for (const MemberSpec& member : after.members) specs[member.name].second = &member;
  std::set<std::string_view> touched;
  for (const Overlay* overlay : {&overlay_before, &overlay_after}) {
    for (const MemberEdits& member : overlay->members) {
      if (!touched.insert(member.member).second) continue;
      const auto& [was, is] = specs[member.member];
      note_member(member.member, was, is, {&overlay_before, &overlay_after}, changes);
    }
  }
  return changes;
}

// The order in which changes were made is no difference.
bool say_the_same(Overlay a, Overlay b) {
  for (Overlay* each : {&a, &b}) {
    std::ranges::sort(each->balancer, {}, &Edit::field);
    std::ranges::sort(each->members, {}, &MemberEdits::member);
    for (MemberEdits& member : each->members) std::ranges::sort(member.edits, {}, &Edit::field);
  }
  return a == b;
}

}  // namespace

// What the balancer would be, worked on step by step.
struct Edits::Draft {
  Composition composition;
  BalancerSpec spec;  // its result()
  std::vector<Change> changes{};

  std::expected<void, ChangeFault> add(const std::string& url, int added_max);
  std::expected<void, ChangeFault> set(const ChangeOrder::Field& wish);
  std::expected<void, ChangeFault> remove(const std::string& name);
};

std::expected<void, ChangeFault> Edits::Draft::add(const std::string& url, int added_max) {
  // Those that were removed are known by their names.
  const MemberEdits* const removed = composition.overlay.find(url);
  auto member = added_member(url);
  if (!member && removed == nullptr)
    return std::unexpected(ChangeFault{Kind::bad_value, url, "member", member.error()});
  const std::string name = removed != nullptr ? url : member->name;
  if (find_member(spec, name) != nullptr) {
    return std::unexpected(
        ChangeFault{Kind::exists, name, "member", "the balancer has this member already"});
  }
  Overlay& overlay = composition.overlay;
  const MemberEdits* const known = overlay.find(name);
  if (known != nullptr && known->membership == Membership::removed) {
    note(changes, {name, "member", "removed", "configured"});
    overlay.bring_back(name);
    spec = *composition.result();
    return {};
  }
  if (added_members(overlay) >= added_max) {
    return std::unexpected(ChangeFault{
        Kind::no_room, name, "member",
        "the balancer may have " + std::to_string(added_max) + " added members (growth=)"});
  }
  overlay.add(name);
  note(changes, {name, "member", "", "added"});
  spec.members.push_back(std::move(*member));
  return set({name, "status", letters_of(Flag::disabled)});
}

std::expected<void, ChangeFault> Edits::Draft::set(const ChangeOrder::Field& wish) {
  const auto change = [&](auto& of) -> std::expected<void, ChangeFault> {
    std::string before = text_of(of, wish.field);
    if (auto done = set_exactly(of, wish.field, wish.value); !done) {
      const auto fields =
          wish.member.empty() ? editable_balancer_fields() : editable_member_fields();
      const bool is_known = std::ranges::find(fields, wish.field) != fields.end();
      return std::unexpected(ChangeFault{is_known ? Kind::bad_value : Kind::no_such_field,
                                         wish.member, wish.field, done.error()});
    }
    std::string after = text_of(of, wish.field);
    if (before == after) return {};
    composition.overlay.put(wish.member, wish.field, before, after);
    note(changes, {wish.member, wish.field, std::move(before), std::move(after)});
    return {};
  };
  if (wish.member.empty()) return change(spec);
  if (MemberSpec* const member = find_member(spec, wish.member)) return change(*member);
  return std::unexpected(ChangeFault{Kind::no_such_member, wish.member, wish.field,
                                     "the balancer has no member of this name"});
}

std::expected<void, ChangeFault> Edits::Draft::remove(const std::string& name) {
  if (std::erase_if(spec.members, [&](const MemberSpec& each) { return each.name == name; }) == 0) {
    return std::unexpected(ChangeFault{Kind::no_such_member, name, "member",
                                       "the balancer has no member of this name"});
  }
  Overlay& overlay = composition.overlay;
  std::string before(membership_text(overlay, name));
  const bool was_added = before == "added";
  overlay.remove(name);
  std::erase_if(changes, [&](const Change& each) { return each.member == name; });
  changes.push_back({name, "member", std::move(before), was_added ? "" : "removed"});
  return {};
}

// What an operator's status or a drain wished is in the overlay, not in the balancer's own spec.
Edits::Draft Edits::draft() const {
  Draft draft;
  {
    const std::lock_guard guard(balancer_.lock_);
    draft.composition = balancer_.composition_;
  }
  draft.spec = *draft.composition.result();
  return draft;
}

std::expected<Edits::Draft, ChangeFault> Edits::work_out(const ChangeOrder& order) const {
  Draft next = draft();
  std::expected<void, ChangeFault> done;
  for (const std::string& url : order.added) {
    if (done) done = next.add(url, order.added_max);
  }
  for (const ChangeOrder::Field& field : order.fields) {
    if (done) done = next.set(field);
  }
  for (const std::string& name : order.removed) {
    if (done) done = next.remove(name);
  }
  if (!done) return std::unexpected(std::move(done.error()));
  std::erase_if(next.changes, [](const Change& each) { return each.before == each.after; });
  return next;
}

std::expected<std::vector<Change>, ChangeFault> Edits::change(const ChangeOrder& order, Instant now,
                                                              const Consent& consent) {
  while (true) {
    auto draft = work_out(order);
    if (!draft) return std::unexpected(std::move(draft.error()));
    if (draft->changes.empty()) return std::vector<Change>();
    // Large tables take a while, so nobody waits for them.
    PreparedSpec prepared = balancer_.prepare(draft->composition);
    if (consent) {
      if (auto given = consent(draft->changes, draft->composition.overlay); !given)
        return std::unexpected(ChangeFault{Kind::refused, {}, {}, std::move(given.error())});
    }
    const std::lock_guard guard(balancer_.lock_);
    // A reload came between: once more, over the new configuration.
    if (balancer_.composition_.configured != draft->composition.configured) continue;
    take(*draft, std::move(prepared), Whose::ordered_here, now);
    return std::move(draft->changes);
  }
}

namespace {

struct StatusStep {
  Status set, clear;
};

// From the operators' letters that the member has to these.
StatusStep step_to(std::string_view letters, Status now) {
  MemberSpec wish;
  if (!set_text(wish, "status", letters)) wish.status = {};  // letters of ours: they are sound
  const Status before = now.only(operator_flags);
  return {.set = wish.status.without(before), .clear = before.without(wish.status)};
}

// And the configuration did not say S.
bool is_drained_and_stopped(const MemberEdits& member) {
  return std::ranges::any_of(member.edits, [](const Edit& edit) {
    return edit.field == "status" && edit.value.contains('N') && edit.value.contains('S') &&
           !edit.configured.contains('S');
  });
}

}  // namespace

void Edits::take(const Draft& draft, PreparedSpec prepared, Whose whose, Instant now) {
  Roster& roster = balancer_.roster_;
  bool weighs_anew = false;
  for (const Change& change : draft.changes) {
    weighs_anew = weighs_anew || change.field == "loadfactor";
    if (change.field != "status") continue;
    for (Position at = 0; at < roster.size(); ++at) {
      if (roster.ref(at)->name() != change.member) continue;
      const auto [set, clear] = step_to(change.after, roster.spec(at).status);
      Drains::operator_changed(*roster.ref(at), set.with(clear), now);
      const bool is_drained = set.has(Flag::stopped) && change.after.contains('N');
      if (is_drained && whose == Whose::ordered_elsewhere)
        Drains::stopped_elsewhere(*roster.ref(at), now);
      roster.take(at, after_wish(roster.health(at), set, clear),
                  {.cause = HealthCause::administrator, .when = now});
    }
  }
  balancer_.composition_.overlay = draft.composition.overlay;
  balancer_.adopt_members(now, std::move(prepared));
  if (whose == Whose::ordered_elsewhere) credit_drains_of_newcomers(draft, now);
  // httpd's manager: nobody is owed turns by other factors.
  if (weighs_anew) roster.begin_credits();
}

// A member that comes has its status from the start, so no step told of S that came with N.
void Edits::credit_drains_of_newcomers(const Draft& draft, Instant now) {
  Roster& roster = balancer_.roster_;
  for (const Change& change : draft.changes) {
    const bool comes =
        change.field == "member" && (change.after == "added" || change.after == "configured");
    if (!comes) continue;
    for (Position at = 0; at < roster.size(); ++at) {
      const MemberSpec& spec = roster.spec(at);
      if (spec.name != change.member) continue;
      const MemberEdits* const edits = draft.composition.overlay.find(spec.name);
      if (edits != nullptr && is_drained_and_stopped(*edits))
        Drains::stopped_elsewhere(*roster.ref(at), now);
    }
  }
}

Edits::Became Edits::become(const Overlay& overlay, Instant now, const Tell& tell) {
  while (true) {
    Draft next = draft();
    Became became;
    const Overlay before = std::exchange(next.composition.overlay, overlay);
    became.left_out = rebase(next.composition.overlay, *next.composition.expanded(),
                             next.composition.names_vary());
    if (say_the_same(before, next.composition.overlay)) return became;
    const BalancerSpec spec_before = std::exchange(next.spec, *next.composition.result());
    next.changes = changes_between(spec_before, next.spec, before, next.composition.overlay);
    PreparedSpec prepared = balancer_.prepare(next.composition);
    if (tell && !next.changes.empty()) tell(next.changes, next.composition.overlay);
    const std::lock_guard guard(balancer_.lock_);
    if (balancer_.composition_.configured != next.composition.configured) continue;
    take(next, std::move(prepared), Whose::ordered_elsewhere, now);
    became.changes = std::move(next.changes);
    return became;
  }
}

void Edits::begin_credits() {
  const std::lock_guard guard(balancer_.lock_);
  balancer_.roster_.begin_credits();
}

Overlay Edits::overlay() const {
  const std::lock_guard guard(balancer_.lock_);
  return balancer_.composition_.overlay;
}

std::vector<Superseded> Edits::replace(Overlay overlay, Instant now) {
  const std::lock_guard guard(balancer_.lock_);
  Composition& composition = balancer_.composition_;
  auto superseded = rebase(overlay, *composition.expanded(), composition.names_vary());
  composition.overlay = std::move(overlay);
  // An operator of an earlier run, and not the configuration: logs and history tell.
  Roster& roster = balancer_.roster_;
  for (Position at = 0; at < roster.size(); ++at) {
    const MemberEdits* const edits = composition.overlay.find(roster.ref(at)->name());
    if (edits == nullptr) continue;
    const auto edit = std::ranges::find(edits->edits, "status", &Edit::field);
    if (edit == edits->edits.end()) continue;
    const auto [set, clear] = step_to(edit->value, roster.spec(at).status);
    roster.take(at, after_wish(roster.health(at), set, clear),
                {.cause = HealthCause::administrator, .when = now});
  }
  balancer_.adopt_members(now);
  return superseded;
}

std::vector<Superseded> Edits::take_superseded() {
  const std::lock_guard guard(balancer_.lock_);
  return std::exchange(balancer_.composition_.superseded, {});
}

std::shared_ptr<const BalancerSpec> Edits::configured() const {
  const std::lock_guard guard(balancer_.lock_);
  return balancer_.composition_.expanded();
}

std::shared_ptr<const BalancerSpec> Edits::written() const {
  const std::lock_guard guard(balancer_.lock_);
  return balancer_.composition_.configured;
}

}  // namespace steelyard::balance
