#include "balance/overlay.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "balance/editable.hpp"
#include "balance/parameters.hpp"
#include "balance/scheme.hpp"

namespace steelyard::balance {

namespace {

constexpr std::string_view gone = "gone";

// A value that the configuration says anyway is no change.
void put_edit(std::vector<Edit>& edits, std::string_view field, std::string configured,
              std::string value) {
  const auto known = std::ranges::find(edits, field, &Edit::field);
  if (known == edits.end()) {
    if (configured == value) return;
    edits.push_back({std::string(field), std::move(configured), std::move(value)});
  } else if (known->configured == value) {
    edits.erase(known);
  } else {
    known->value = std::move(value);
  }
}

// What was accepted once may be refused by another configuration's neighbours; it then has no
// effect.
template <class Spec>
void lay_over(Spec& spec, const std::vector<Edit>& edits) {
  for (const Edit& edit : edits) (void)set_text(spec, edit.field, edit.value);
}

template <class Spec>
void rebase_edits(std::vector<Edit>& edits, const Spec& next, std::string_view member,
                  std::vector<Superseded>& superseded) {
  std::erase_if(edits, [&](const Edit& edit) {
    std::string now = text_of(next, edit.field);
    if (now == edit.configured) return false;
    // It says what was wished for.
    if (now != edit.value) superseded.push_back({std::string(member), edit, std::move(now)});
    return true;
  });
}

// False: nothing is left of them.
bool rebase_member(MemberEdits& edits, const MemberSpec* next, bool names_vary,
                   std::vector<Superseded>& superseded) {
  if (next != nullptr) {
    // Whatever the operator said of a member of his own, it is the configuration's now.
    if (edits.membership == Membership::added) edits.membership = Membership::configured;
    rebase_edits(edits.edits, *next, edits.member, superseded);
    return edits.membership == Membership::removed || !edits.edits.empty();
  }
  if (edits.membership == Membership::added || names_vary) return true;
  // It was removed here, and there now, too: as wished.
  if (edits.membership == Membership::removed) return false;
  for (Edit& edit : edits.edits)
    superseded.push_back({edits.member, std::move(edit), std::string(gone)});
  return false;
}

}  // namespace

const MemberEdits* Overlay::find(std::string_view member) const {
  const auto found = std::ranges::find(members, member, &MemberEdits::member);
  return found != members.end() ? &*found : nullptr;
}

MemberEdits& Overlay::of(std::string_view member) {
  const auto found = std::ranges::find(members, member, &MemberEdits::member);
  if (found != members.end()) return *found;
  return members.emplace_back(MemberEdits{.member = std::string(member), .edits = {}});
}

void Overlay::drop_if_void(std::string_view member) {
  std::erase_if(members, [&](const MemberEdits& each) {
    return each.member == member && each.membership == Membership::configured && each.edits.empty();
  });
}

void Overlay::put(std::string_view member, std::string_view field, std::string configured,
                  std::string value) {
  if (member.empty()) return put_edit(balancer, field, std::move(configured), std::move(value));
  put_edit(of(member).edits, field, std::move(configured), std::move(value));
  drop_if_void(member);
}

void Overlay::add(std::string_view member) { of(member).membership = Membership::added; }

void Overlay::remove(std::string_view member) {
  MemberEdits& edits = of(member);
  const bool was_added = edits.membership == Membership::added;
  edits.membership = was_added ? Membership::configured : Membership::removed;
  edits.edits.clear();
  drop_if_void(member);
}

void Overlay::bring_back(std::string_view member) {
  of(member).membership = Membership::configured;
  drop_if_void(member);
}

std::expected<MemberSpec, std::string> added_member(std::string_view url) {
  MemberSpec spec;
  if (auto parsed = parse_member_url(spec, url); !parsed) return std::unexpected(parsed.error());
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::ranges::all_of(url, is_plain))
    return std::unexpected("the URL holds characters that have to be percent-encoded");
  const Scheme* const scheme = scheme_named(spec.scheme);
  if (scheme == nullptr || !scheme->is_spoken)
    return std::unexpected("members are spoken to by " + std::string(spoken_schemes()) + " only");
  // Its name does not tell the password.
  if (spec.userinfo.find(':') != std::string::npos)
    return std::unexpected("members with a password are added in the configuration");
  // Nor does it tell the path of the socket.
  if (!spec.unix_socket_path.empty())
    return std::unexpected("members behind sockets are added in the configuration");
  return spec;
}

int growth_of(const BalancerSpec& spec) { return spec.growth.value_or(0); }

int added_max_of(const BalancerSpec& spec) { return spec.growth.value_or(added_members_max); }

std::shared_ptr<const BalancerSpec> laid_over(const std::shared_ptr<const BalancerSpec>& expanded,
                                              const Overlay& overlay) {
  if (overlay.empty()) return expanded;
  auto spec = std::make_shared<BalancerSpec>(*expanded);
  lay_over(*spec, overlay.balancer);
  std::map<std::string_view, const MemberEdits*> by_name;
  for (const MemberEdits& edits : overlay.members) by_name.emplace(edits.member, &edits);
  std::erase_if(spec->members, [&](const MemberSpec& member) {
    const auto found = by_name.find(member.name);
    return found != by_name.end() && found->second->membership == Membership::removed;
  });
  for (MemberSpec& member : spec->members) {
    const auto found = by_name.find(member.name);
    if (found == by_name.end()) continue;
    lay_over(member, found->second->edits);
    by_name.erase(found);
  }
  for (const MemberEdits& edits : overlay.members) {
    if (edits.membership != Membership::added || !by_name.contains(edits.member)) continue;
    auto member = added_member(edits.member);
    if (!member) continue;
    lay_over(*member, edits.edits);
    spec->members.push_back(std::move(*member));
  }
  return spec;
}

std::vector<Superseded> rebase(Overlay& overlay, const BalancerSpec& next, bool names_vary) {
  std::vector<Superseded> superseded;
  if (overlay.empty()) return superseded;
  rebase_edits(overlay.balancer, next, {}, superseded);
  std::map<std::string_view, const MemberSpec*> by_name;
  for (const MemberSpec& member : next.members) by_name.emplace(member.name, &member);
  std::erase_if(overlay.members, [&](MemberEdits& edits) {
    const auto found = by_name.find(edits.member);
    const MemberSpec* const member = found != by_name.end() ? found->second : nullptr;
    return !rebase_member(edits, member, names_vary, superseded);
  });
  return superseded;
}

}  // namespace steelyard::balance
