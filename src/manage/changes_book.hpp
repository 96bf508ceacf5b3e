// Keeps what operators change in the journal (journal/journal.hpp), if there is one.
//
//   order ──▶ worked out ──▶ in the journal ──▶ made ──▶ told
//                                 └─ it could not be kept: refused, nothing is changed
//
// What nobody ordered just now (a reload that supersedes, a drain that ends) happens first and is
// kept as soon as catch_up() is called; what could not be kept then is tried again with the next.
//
// Threads: the control thread's. Every call may wait for the disk.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "balance/edits.hpp"
#include "journal/journal.hpp"
#include "manage/control_answers.hpp"
#include "manage/naming.hpp"
#include "manage/refused_changes.hpp"
#include "manage/sharing.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

// The user if the request had one, and the client's address.
[[nodiscard]] journal::Author author_of(const proxy::DeskQuestion& question, std::string reason);
// `who` is what the system says of the other end: "uid 0, pid 512".
[[nodiscard]] journal::Author author_on_socket(std::string who, std::string reason);

// What is different, in the words of balance::Change, for changes that were not made by Edits.
[[nodiscard]] std::vector<balance::Change> differences(const balance::Overlay& before,
                                                       const balance::Overlay& after);

class ChangesBook {
 public:
  using Log = std::function<void(config::LogLevel, const std::string&)>;
  using Changed = std::expected<std::vector<balance::Change>, balance::ChangeFault>;
  // Whether the balancer's virtual host has a condition (ProxyHCExpr) of this name. Null: any is.
  using KnowsCondition = std::function<bool(const NamedBalancer&, std::string_view name)>;

  // None: nobody wants one; changes are made and not kept. A fault: it could not be opened; changes
  // are refused with that reason.
  using Wanted = std::expected<std::optional<journal::Journal>, journal::Fault>;
  ChangesBook(Wanted journal, Log log, KnowsCondition knows_condition = nullptr);

  // After a start, before anything else: what the journal has of balancers in `persistent` counts
  // again, against the configuration as it is now; the rest is forgotten.
  void bring_back(const std::vector<NamedBalancer>& balancers,
                  const std::set<const balance::Balancer*>& persistent, const Moment& moment);

  Changed change(const NamedBalancer& balancer, const balance::ChangeOrder& order,
                 const journal::Author& author, const Moment& moment);
  // Of a status that is about to be set by other means than Edits: kept, or why not.
  std::expected<void, std::string> keep_wish(const NamedBalancer& balancer,
                                             const balance::MemberView& member,
                                             balance::Status wish, const journal::Author& author,
                                             const Moment& moment);

  // What an operator said was found out of a member, from and to. It was done already.
  void note_finding(const NamedBalancer& balancer, const balance::MemberView& member,
                    balance::Status now, const journal::Author& author, const Moment& moment);

  struct UndoWish {
    std::int64_t id = 0;
    journal::Journal::Later later = journal::Journal::Later::matters;
    int added_max = 0;  // balance::ChangeOrder
  };
  struct Undone {
    std::string label;  // of the balancer
    std::vector<balance::Change> changes{};
  };
  std::expected<Undone, ControlFault> undo(const std::vector<NamedBalancer>& balancers,
                                           const UndoWish& wish, const journal::Author& author,
                                           const Moment& moment);

  void share_with(Sharing* sharing) { sharing_ = sharing; }  // null: nobody
  [[nodiscard]] const Sharing* sharing() const { return sharing_; }
  using AuthorOf = std::function<journal::Author(const balance::Change&)>;
  // What other instances changed is made, and kept if it can be.
  balance::Edits::Became follow(const NamedBalancer& balancer, const balance::Overlay& overlay,
                                const AuthorOf& author, const Moment& moment);
  // For the history: what was changed here does not count (any more). `change` is from what it was
  // to what counts.
  void note_superseded(const journal::BalancerKey& balancer, const balance::Change& change,
                       const std::string& why, const Moment& moment);

  // After a reload and after drains ended.
  void catch_up(const std::vector<NamedBalancer>& balancers, const Moment& moment);

  // It could not be opened at the start, and now it could: changes are kept from now on.
  void open_late(journal::Journal journal);
  // It can only be read, or its file was deleted or replaced: it is let go of and opened again, and
  // gets what counts now.
  using Opener = std::function<std::expected<journal::Journal, journal::Fault>()>;
  void open_again(const Opener& opener, const std::vector<NamedBalancer>& balancers,
                  const Moment& moment);
  [[nodiscard]] bool should_open_again() const;
  // After a reload: does any balancer want its changes kept over a restart?
  void expect_to_keep(bool wanted) { should_keep_ = wanted; }
  // The server stops: its successor may have the journal. Changes are refused from now on.
  void close();

  // What keeps changes from being made, kept or shared, in words for operators; empty: nothing.
  [[nodiscard]] std::vector<std::string> troubles() const;
  // Of operators, since the start.
  [[nodiscard]] RefusedChanges& refused() { return refused_; }
  // For history and "as of"; null: there is none.
  [[nodiscard]] const journal::Journal* journal() const { return journal_ ? &*journal_ : nullptr; }

 private:
  using Records = std::vector<journal::Record>;
  struct Purpose {
    journal::Kind kind = journal::Kind::change;
    std::optional<std::int64_t> undoes{};
  };
  Changed make(const NamedBalancer& balancer, const balance::ChangeOrder& order,
               const Purpose& purpose, const journal::Author& author, const Moment& moment);
  std::expected<void, std::string> share_and_keep(const journal::BalancerKey& key,
                                                  const Records& records,
                                                  const balance::Overlay& after, WallTime now);
  std::expected<void, std::string> keep(const journal::BalancerKey& key, const Records& records,
                                        const balance::Overlay& after, WallTime now);
  void keep_or_complain(const journal::BalancerKey& key, const Records& records,
                        const balance::Overlay& after, WallTime now);
  void bring_back_one(const NamedBalancer& balancer, const balance::Overlay& overlay,
                      const Moment& moment);
  void catch_up_one(const NamedBalancer& balancer, const Moment& moment);
  void let_go();
  void say_where_ids_begin(const std::vector<NamedBalancer>& balancers, const Moment& moment);
  void tell_superseded(const std::string& label, const balance::Superseded& change, bool is_gone);

  std::optional<journal::Journal> journal_;
  std::string why_closed_;    // of a journal that could not be opened or read
  std::int64_t last_id_ = 0;  // of a journal that was let go of
  bool should_keep_ = false;
  bool was_let_go_ = false;   // to open it again, which failed
  std::string why_not_kept_;  // of the last change; empty: it was
  const Log log_;
  const KnowsCondition knows_condition_;
  Sharing* sharing_ = nullptr;
  RefusedChanges refused_;
  journal::Overlays kept_;  // as the journal has it; nothing where it has none
};

}  // namespace steelyard::manage
