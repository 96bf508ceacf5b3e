#include "journal/entries.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace steelyard::journal {

namespace {

using balance::Edit;
using balance::MemberEdits;
using balance::Membership;

constexpr std::string_view membership_field = "member";

std::string_view name_of(Membership membership) {
  return membership == Membership::added     ? "added"
         : membership == Membership::removed ? "removed"
                                             : "configured";
}

Membership membership_of(std::string_view name) {
  return name == "added"     ? Membership::added
         : name == "removed" ? Membership::removed
                             : Membership::configured;
}

// Gives places that grow along each of the overlay's lists.
class Places {
 public:
  explicit Places(const std::vector<Entry>& before) {
    for (const Entry& entry : before) {
      known_[{entry.member, entry.field}] = entry.place;
      last_ = std::max(last_, entry.place);
    }
  }

  // Behind `previous`, the place of the one before it in its list.
  std::int64_t next(const Entry& entry, std::int64_t previous) {
    const auto known = known_.find({entry.member, entry.field});
    return known != known_.end() && known->second > previous ? known->second : ++last_;
  }

 private:
  std::map<std::pair<std::string, std::string>, std::int64_t> known_;
  std::int64_t last_ = 0;
};

void add_edits(std::vector<Entry>& entries, const std::string& member,
               const std::vector<Edit>& edits, Places& places) {
  std::int64_t previous = 0;
  for (const Edit& edit : edits) {
    Entry entry{member, edit.field, 0, edit.configured, edit.value};
    previous = entry.place = places.next(entry, previous);
    entries.push_back(std::move(entry));
  }
}

}  // namespace

std::vector<Entry> entries_of(const balance::Overlay& overlay, const std::vector<Entry>& before) {
  Places places(before);
  std::vector<Entry> entries;
  add_edits(entries, {}, overlay.balancer, places);
  std::int64_t previous = 0;
  for (const MemberEdits& member : overlay.members) {
    Entry entry{member.member,
                std::string(membership_field),
                0,
                {},
                std::string(name_of(member.membership))};
    previous = entry.place = places.next(entry, previous);
    entries.push_back(std::move(entry));
    add_edits(entries, member.member, member.edits, places);
  }
  return entries;
}

balance::Overlay overlay_of(std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, &Entry::place);
  balance::Overlay overlay;
  std::map<std::string, std::vector<Edit>> edits;
  for (const Entry& entry : entries) {
    if (!entry.member.empty() && entry.field == membership_field) {
      overlay.members.push_back(
          {.member = entry.member, .membership = membership_of(entry.value), .edits = {}});
    } else {
      edits[entry.member].push_back({entry.field, entry.configured, entry.value});
    }
  }
  overlay.balancer = std::move(edits[""]);
  for (MemberEdits& member : overlay.members) member.edits = std::move(edits[member.member]);
  return overlay;
}

}  // namespace steelyard::journal
