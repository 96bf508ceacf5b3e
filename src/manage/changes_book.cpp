#include "manage/changes_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "balance/editable.hpp"
#include "base/text.hpp"
#include "journal/entries.hpp"
#include "manage/remembered_stops.hpp"

namespace steelyard::manage {

namespace {

using balance::Change;
using balance::Edits;
using balance::Overlay;
using balance::Superseded;
using journal::BalancerKey;
using journal::Kind;
using journal::Record;

BalancerKey key_of(const NamedBalancer& balancer) {
  return {.scope = balancer.scope, .name = balancer.state->name()};
}

std::size_t size_of(const Overlay& overlay) {
  std::size_t size = overlay.balancer.size();
  for (const balance::MemberEdits& member : overlay.members) {
    const bool is_there = member.membership == balance::Membership::configured;
    size += member.edits.size() + (is_there ? 0 : 1);
  }
  return size;
}

// The server itself, in the history.
journal::Author server_itself(std::string reason) {
  return {.who = "the server", .from = {}, .reason = std::move(reason)};
}

// The configuration no longer has the member: it says nothing about it. "gone" may be a value, too.
bool is_of_no_member(const std::vector<balance::MemberSpec>& configured, const Superseded& change) {
  return !change.member.empty() && change.now == "gone" &&
         std::ranges::find(configured, change.member, &balance::MemberSpec::name) ==
             configured.end();
}

Record record_of(const Superseded& superseded, bool is_gone) {
  return {.kind = Kind::superseded,
          .author = server_itself(is_gone ? "the configuration no longer has the member"
                                          : "the configuration says otherwise now"),
          .change = {.member = superseded.member,
                     .field = superseded.edit.field,
                     .before = superseded.edit.value,
                     .after = is_gone ? std::string() : superseded.now}};
}

bool is_among(const std::vector<NamedBalancer>& balancers, const BalancerKey& key) {
  return std::ranges::find(balancers, key, key_of) != balancers.end();
}

// What the field has now, of the member or of the balancer; none: there is no such thing.
std::optional<std::string> value_now(balance::Balancer& balancer, const Change& change) {
  if (change.member.empty()) return balance::text_of(*balancer.spec(), change.field);
  for (const balance::MemberView& view : balancer.members()) {
    if (view.spec->name != change.member) continue;
    return change.field == "member" ? "added" : balance::text_of(*view.spec, change.field);
  }
  return std::nullopt;
}

// What holds where an overlay says nothing but the other one does.
std::string unchanged_text(const journal::Entry& other) {
  if (other.member.empty() || other.field != "member") return other.configured;
  return other.value == "added" ? "" : "configured";
}

}  // namespace

journal::Author author_of(const proxy::DeskQuestion& question, std::string reason) {
  return {.who = question.user, .from = question.client.ip.text(), .reason = std::move(reason)};
}

journal::Author author_on_socket(std::string who, std::string reason) {
  return {.who = std::move(who), .from = "control socket", .reason = std::move(reason)};
}

std::vector<Change> differences(const Overlay& before, const Overlay& after) {
  struct Sides {
    const journal::Entry *before = nullptr, *after = nullptr;
  };
  const auto rows_before = journal::entries_of(before, {});
  const auto rows_after = journal::entries_of(after, {});
  std::map<std::pair<std::string, std::string>, Sides> sides;
  for (const journal::Entry& row : rows_before) sides[{row.member, row.field}].before = &row;
  for (const journal::Entry& row : rows_after) sides[{row.member, row.field}].after = &row;
  std::vector<Change> changes;
  for (const auto& [field, side] : sides) {
    const journal::Entry& either = side.before != nullptr ? *side.before : *side.after;
    Change change{.member = field.first,
                  .field = field.second,
                  .before = side.before != nullptr ? either.value : unchanged_text(either),
                  .after = side.after != nullptr ? side.after->value : unchanged_text(either)};
    if (change.before != change.after) changes.push_back(std::move(change));
  }
  return changes;
}

ChangesBook::ChangesBook(Wanted journal, Log log, KnowsCondition knows_condition)
    : log_(std::move(log)), knows_condition_(std::move(knows_condition)) {
  if (journal) {
    journal_ = std::move(*journal);
  } else {
    why_closed_ = std::move(journal.error().text);
  }
}

std::expected<void, std::string> ChangesBook::keep(const BalancerKey& key, const Records& records,
                                                   const Overlay& after, WallTime now) {
  if (!why_closed_.empty()) return std::unexpected("the journal is not open: " + why_closed_);
  if (!journal_) return {};
  const auto id = journal_->append(key, records, after, now);
  if (!id) {
    const std::string why = "the journal could not be written: " + id.error().text;
    const bool is_about_the_file = id.error().kind != journal::Fault::Kind::refused;
    if (is_about_the_file && std::exchange(why_not_kept_, id.error().text) != id.error().text)
      log_(config::LogLevel::error, "changes are refused: " + why);
    return std::unexpected(why);
  }
  why_not_kept_.clear();
  kept_[key] = after;
  return {};
}

// To be shared even if the program ends right after it was kept.
std::expected<void, std::string> ChangesBook::share_and_keep(const BalancerKey& key,
                                                             const Records& records,
                                                             const Overlay& after, WallTime now) {
  if (sharing_ == nullptr) return keep(key, records, after, now);
  std::vector<Change> changes;
  for (const Record& record : records) changes.push_back(record.change);
  const auto proposal = sharing_->propose(key, changes, after, records.front().author, now);
  if (!proposal) return std::unexpected(proposal.error());
  auto kept = keep(key, records, after, now);
  sharing_->decide(*proposal, kept ? Sharing::Proposal::made : Sharing::Proposal::withdrawn);
  return kept;
}

void ChangesBook::keep_or_complain(const BalancerKey& key, const Records& records,
                                   const Overlay& after, WallTime now) {
  if (const auto kept = keep(key, records, after, now); !kept)
    log_(config::LogLevel::error, key.name + ": " + kept.error());
}

ChangesBook::Changed ChangesBook::make(const NamedBalancer& balancer,
                                       const balance::ChangeOrder& order, const Purpose& purpose,
                                       const journal::Author& author, const Moment& moment) {
  for (const auto& wish : order.fields) {
    if (wish.field != "hcexpr" || wish.value.empty() || !knows_condition_ ||
        knows_condition_(balancer, wish.value))
      continue;
    return std::unexpected(balance::ChangeFault{balance::ChangeFault::Kind::bad_value, wish.member,
                                                wish.field,
                                                "there is no ProxyHCExpr " + quoted(wish.value)});
  }
  const auto consent = [&](const std::vector<Change>& changes, const Overlay& after) {
    Records records;
    for (const Change& change : changes) {
      records.push_back(
          {.kind = purpose.kind, .author = author, .change = change, .undoes = purpose.undoes});
    }
    return share_and_keep(key_of(balancer), records, after, moment.wall);
  };
  return Edits(*balancer.state).change(order, moment.now, consent);
}

ChangesBook::Changed ChangesBook::change(const NamedBalancer& balancer,
                                         const balance::ChangeOrder& order,
                                         const journal::Author& author, const Moment& moment) {
  auto changed = make(balancer, order, {}, author, moment);
  if (!changed) refused_.count(changed.error());
  return changed;
}

std::expected<void, std::string> ChangesBook::keep_wish(const NamedBalancer& balancer,
                                                        const balance::MemberView& member,
                                                        balance::Status wish,
                                                        const journal::Author& author,
                                                        const Moment& moment) {
  const std::string before = text_of(*member.spec, "status");
  const std::string after = letters_of(wish);
  if (before == after) return {};
  Overlay overlay = Edits(*balancer.state).overlay();
  overlay.put(member.spec->name, "status", before, after);
  const Record record{
      .author = author,
      .change = {.member = member.spec->name, .field = "status", .before = before, .after = after}};
  auto kept = share_and_keep(key_of(balancer), {record}, overlay, moment.wall);
  if (!kept) ++refused_.not_kept;
  return kept;
}

void ChangesBook::note_finding(const NamedBalancer& balancer, const balance::MemberView& member,
                               balance::Status now, const journal::Author& author,
                               const Moment& moment) {
  if (now == member.status) return;
  const auto text = [](balance::Status status) {
    return std::string(trim(balance::display_text(status)));
  };
  const Record record{.author = author,
                      .change = {.member = member.spec->name,
                                 .field = std::string(journal::finding_field),
                                 .before = text(member.status),
                                 .after = text(now)}};
  keep_or_complain(key_of(balancer), {record}, Edits(*balancer.state).overlay(), moment.wall);
}

std::expected<ChangesBook::Undone, ControlFault> ChangesBook::undo(
    const std::vector<NamedBalancer>& balancers, const UndoWish& wish,
    const journal::Author& author, const Moment& moment) {
  const auto refuse = [this](std::string text) {
    ++refused_.undo;
    return std::unexpected(
        ControlFault{.kind = ControlFault::Kind::refused, .text = std::move(text)});
  };
  if (!journal_) return refuse("there is no journal (SteelyardJournal)");
  auto undo = journal_->undo(wish.id, wish.later);
  if (!undo) return refuse(std::move(undo.error().text));
  const auto found = std::ranges::find(balancers, undo->balancer, key_of);
  if (found == balancers.end())
    return refuse(undo->balancer.name + " is no longer in the configuration");
  if (const auto& [added, fields, removed, most] = undo->order;
      added.empty() && fields.empty() && removed.empty())
    return Undone{.label = found->label};
  undo->order.added_max = wish.added_max;
  auto changes = make(*found, undo->order, {.kind = Kind::undo, .undoes = wish.id}, author, moment);
  if (!changes && changes.error().kind == balance::ChangeFault::Kind::refused) {
    ++refused_.not_kept;
    return std::unexpected(
        ControlFault{.kind = ControlFault::Kind::refused, .text = std::move(changes.error().text)});
  }
  if (!changes) return refuse(std::move(changes.error().text));
  return Undone{.label = found->label, .changes = std::move(*changes)};
}

void ChangesBook::bring_back(const std::vector<NamedBalancer>& balancers,
                             const std::set<const balance::Balancer*>& persistent,
                             const Moment& moment) {
  if (!journal_) return;
  auto overlays = journal_->load();
  if (!overlays) {
    // Written now, it would lose what it has and nobody could read.
    why_closed_ = std::move(overlays.error().text);
    let_go();
    log_(config::LogLevel::error,
         "no changes are brought back, and changes are refused: " + why_closed_);
    return;
  }
  kept_ = *overlays;
  for (const NamedBalancer& balancer : balancers) {
    if (!persistent.contains(balancer.state.get())) continue;
    const auto found = overlays->find(key_of(balancer));
    if (found == overlays->end()) continue;
    bring_back_one(balancer, found->second, moment);
    overlays->erase(found);
  }
  for (const auto& [key, overlay] : *overlays) {
    const bool is_there = is_among(balancers, key);
    const std::string why =
        is_there ? "without BalancerPersist" : "the configuration has no such balancer";
    log_(config::LogLevel::notice, fmt::format("{} of {}: {} changes of an earlier run are not "
                                               "brought back ({})",
                                               key.name, key.scope, size_of(overlay), why));
    keep_or_complain(key, {{.kind = Kind::forgotten, .author = server_itself(why)}}, {},
                     moment.wall);
  }
  say_where_ids_begin(balancers, moment);
}

void ChangesBook::bring_back_one(const NamedBalancer& balancer, const Overlay& overlay,
                                 const Moment& moment) {
  Edits edits(*balancer.state);
  const auto superseded = edits.replace(overlay, moment.now);
  const Overlay after = edits.overlay();
  remember_stops(*journal_, key_of(balancer), *balancer.state, moment.now);
  const std::string told = fmt::format("{} changes of an earlier run", size_of(after));
  Records records{{.kind = Kind::brought_back, .author = server_itself(told)}};
  log_(config::LogLevel::notice, fmt::format("{}: {} are brought back", balancer.label, told));
  for (const Superseded& each : superseded) {
    const bool is_gone = is_of_no_member(edits.configured()->members, each);
    records.push_back(record_of(each, is_gone));
    tell_superseded(balancer.label, each, is_gone);
  }
  keep_or_complain(key_of(balancer), records, after, moment.wall);
}

void ChangesBook::let_go() {
  if (journal_) last_id_ = std::max(last_id_, journal_->last_id());
  journal_.reset();
}

void ChangesBook::open_late(journal::Journal journal) {
  journal.begin_above(last_id_);
  journal_ = std::move(journal);
  why_closed_.clear();
}

// A fresh file in the place of another one: what an operator read there must not name a change
// here, so ids go on. To be known after a restart too, that needs a row.
void ChangesBook::say_where_ids_begin(const std::vector<NamedBalancer>& balancers,
                                      const Moment& moment) {
  if (balancers.empty() || journal_->is_read_only() || !journal_->owes_its_first_row()) return;
  const NamedBalancer& first = balancers.front();
  const auto author = server_itself("the journal was begun anew");
  keep_or_complain(key_of(first), {{.kind = Kind::brought_back, .author = author}},
                   Edits(*first.state).overlay(), moment.wall);
}

void ChangesBook::open_again(const Opener& opener, const std::vector<NamedBalancer>& balancers,
                             const Moment& moment) {
  let_go();  // as long as it is open nobody else may have it
  was_let_go_ = true;
  auto again = opener();
  if (!again) {
    why_closed_ = std::move(again.error().text);
    return;
  }
  auto overlays = again->load();
  if (!overlays) {
    why_closed_ = std::move(overlays.error().text);
    return;
  }
  was_let_go_ = false;
  why_not_kept_.clear();
  kept_ = std::move(*overlays);
  open_late(std::move(*again));
  catch_up(balancers, moment);
  say_where_ids_begin(balancers, moment);
}

bool ChangesBook::should_open_again() const {
  return journal_ ? journal_->is_read_only() || !journal_->is_in_place() : was_let_go_;
}

std::vector<std::string> ChangesBook::troubles() const {
  std::vector<std::string> found;
  if (!why_closed_.empty())
    found.push_back("Changes are refused: the journal is not open: " + why_closed_);
  if (journal_ && journal_->is_read_only())
    found.emplace_back("Changes are refused: the journal can only be read");
  if (journal_ && !journal_->is_in_place()) {
    found.emplace_back(
        "Changes are refused: the journal's file was deleted, moved or replaced; a graceful reload "
        "begins it anew");
  } else if (!why_not_kept_.empty() && (!journal_ || !journal_->is_read_only())) {
    found.push_back("The last change was refused: the journal could not be written: " +
                    why_not_kept_);
  }
  if (should_keep_ && journal_ && !journal_->is_on_disk()) {
    found.emplace_back(
        "Changes are not kept over a restart: BalancerPersist came with a reload, and takes a stop "
        "and a start");
  }
  if (sharing_ == nullptr) return found;
  const ClusterView view = sharing_->view();
  if (view.is_connected) return found;
  std::string text = "Not connected to " + view.store;
  if (view.since) text += " since " + Moment::text_of(*view.since);
  if (!view.why.empty()) text += ": " + view.why;
  text += "; what is changed here reaches the other instances later";
  if (const std::size_t orders = view.unshared.size(); orders != 0)
    text += fmt::format(", {} not shared yet",
                        orders == 1 ? "1 order" : fmt::format("{} orders", orders));
  found.push_back(std::move(text));
  return found;
}

void ChangesBook::close() {
  was_let_go_ = false;
  if (!journal_) return;
  journal_.reset();
  why_closed_ = "the server stops";
}

Edits::Became ChangesBook::follow(const NamedBalancer& balancer, const Overlay& overlay,
                                  const AuthorOf& author, const Moment& moment) {
  const auto tell = [&](const std::vector<Change>& changes, const Overlay& after) {
    Records records;
    for (const Change& change : changes)
      records.push_back({.author = author(change), .change = change});
    keep_or_complain(key_of(balancer), records, after, moment.wall);
  };
  return Edits(*balancer.state).become(overlay, moment.now, tell);
}

void ChangesBook::note_superseded(const BalancerKey& balancer, const Change& change,
                                  const std::string& why, const Moment& moment) {
  if (!journal_) return;
  const Record record{.kind = Kind::superseded, .author = server_itself(why), .change = change};
  keep_or_complain(balancer, {record}, kept_[balancer], moment.wall);
}

void ChangesBook::catch_up(const std::vector<NamedBalancer>& balancers, const Moment& moment) {
  for (const NamedBalancer& balancer : balancers) catch_up_one(balancer, moment);
  if (!journal_) return;
  std::vector<BalancerKey> gone;
  for (const auto& [key, overlay] : kept_) {
    if (!overlay.empty() && !is_among(balancers, key)) gone.push_back(key);
  }
  for (const BalancerKey& key : gone) {
    const auto author = server_itself("the configuration has no such balancer");
    log_(config::LogLevel::notice,
         fmt::format("{} of {}: {} changes are forgotten: the configuration has no such balancer",
                     key.name, key.scope, size_of(kept_[key])));
    keep_or_complain(key, {{.kind = Kind::forgotten, .author = author}}, {}, moment.wall);
  }
}

void ChangesBook::catch_up_one(const NamedBalancer& balancer, const Moment& moment) {
  Edits edits(*balancer.state);
  Records records;
  const auto superseded = edits.take_superseded();
  for (const Superseded& each : superseded) {
    const bool is_gone = is_of_no_member(edits.configured()->members, each);
    records.push_back(record_of(each, is_gone));
    tell_superseded(balancer.label, each, is_gone);
  }
  const BalancerKey key = key_of(balancer);
  const Overlay after = edits.overlay();
  if (!journal_ || after == kept_[key]) return;
  for (Change& change : differences(kept_[key], after)) {
    const bool is_told = std::ranges::any_of(records, [&change](const Record& record) {
      return record.change.member == change.member && record.change.field == change.field;
    });
    if (is_told) continue;
    // No longer a change, and nothing changed: the file says now what the operator said.
    const auto now = value_now(*balancer.state, change);
    const bool is_gone_too = !now && change.field == "member" && change.before == "removed";
    const bool is_adopted = is_gone_too || now == change.before;
    if (is_adopted) change.after = change.before;
    records.push_back(
        {.kind = is_adopted ? Kind::superseded : Kind::change,
         .author = server_itself(is_adopted ? "the configuration says the same now"
                                            : "a drain ended, or the journal was late"),
         .change = std::move(change)});
  }
  // The order of changes is different, or what the configuration said of them.
  if (records.empty())
    records.push_back({.kind = Kind::brought_back, .author = server_itself("kept anew")});
  keep_or_complain(key, records, after, moment.wall);
}

void ChangesBook::tell_superseded(const std::string& label, const Superseded& change,
                                  bool is_gone) {
  const std::string now = is_gone ? "no longer has the member"
                                  : fmt::format("says {} now, which counts", quoted(change.now));
  log_(config::LogLevel::notice,
       fmt::format("{}{}{}: an operator changed {} from {} to {}; the configuration {}", label,
                   change.member.empty() ? "" : " ", change.member, change.edit.field,
                   quoted(change.edit.configured), quoted(change.edit.value), now));
}

}  // namespace steelyard::manage
