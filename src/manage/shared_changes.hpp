// What operators change here, shared with other instances, and what others share, made here
// (SteelyardCluster). docs/decisions/0016-more-than-one-machine.md
//
//   order here ──▶ ledger, and its file ──▶ journal ──▶ made ──▶ sent
//   news       ──▶ ledger ──▶ what counts now ──▶ balancers it differs of ──▶ made ──▶ journal
//
// Invariant: in touch and with nothing unshared, a balancer's changes are a function of its
// configuration and of what the store has.
//
// Threads: the loop's (the control thread).
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/conversation.hpp"
#include "cluster/kept.hpp"
#include "io/loop.hpp"
#include "manage/changes_book.hpp"
#include "manage/shared_overlay.hpp"

namespace steelyard::manage {

class SharedChanges final : public Sharing, private io::Timer {
 public:
  struct Parts {
    io::Loop& loop;
    ChangesBook& book;
    std::function<void(config::LogLevel, const std::string&)> log;
    std::function<void()> members_changed;
    std::function<bool(std::string_view scope, std::string_view name)> knows_condition;
    // To the store; one at a time.
    std::function<void(const cluster::Order&, std::uint64_t epoch)> send;
    // On the disk when it returns; null: nothing is kept over a restart.
    std::function<std::expected<void, std::string>(const std::string&)> keep;
    std::string store;                   // "etcd://a:2379,b:2379/prefix"
    std::vector<std::string> addresses;  // "a:2379"
    std::string user{};                  // that it is spoken to as; empty: none
    cluster::Instance self;
  };
  explicit SharedChanges(Parts parts) : parts_(std::move(parts)) {}
  ~SharedChanges() override { leave(); }
  SharedChanges(const SharedChanges&) = delete;
  SharedChanges& operator=(const SharedChanges&) = delete;

  // At a start, after the journal: what was kept (none: this program was no part of the cluster
  // before, so all that counts in balancers of `persistent` is to be shared).
  void begin(std::optional<cluster::Kept> kept, const std::vector<NamedBalancer>& balancers,
             const std::set<const balance::Balancer*>& persistent, const Moment& moment);
  // After a reload.
  void adopt(const std::vector<NamedBalancer>& balancers);
  void hear(std::vector<cluster::News::Any> news);
  // What is known is kept for a successor, who may read it from now on: nothing is written any
  // more, and no order taken.
  void leave();

  std::expected<std::string, std::string> propose(const journal::BalancerKey& balancer,
                                                  const std::vector<balance::Change>& changes,
                                                  const balance::Overlay& after,
                                                  const journal::Author& author,
                                                  WallTime now) override;
  void decide(const std::string& proposal, Proposal is) override;

  [[nodiscard]] ClusterView view() const override;

 private:
  void expired() override { keep_now(); }
  void take(cluster::News::Everything& news);
  void take(cluster::News::Changes& news);
  void take(cluster::News::Shared& news);
  void take(cluster::News::InTheWay& news);
  void take(cluster::News::Refused& news);
  void take(cluster::News::Lost& news);
  void take(cluster::News::Behind& news);
  void take(cluster::News::Senseless& news);

  [[nodiscard]] Moment moment() const {
    return {.now = parts_.loop.now(), .wall = parts_.loop.wall_now()};
  }
  [[nodiscard]] std::string next_id();
  void stamp(std::vector<cluster::Wish>& wishes, const journal::Author& author, WallTime now) const;
  [[nodiscard]] bool has_room_for(const cluster::News::Changes& news) const;
  void remember_stops(const std::set<const balance::Balancer*>& persistent, Instant now);
  // Of a store that went back behind `before`.
  void share_anew(std::vector<cluster::Wish> forgotten, std::int64_t before);
  [[nodiscard]] std::string as_user() const;
  void send_next();
  void sweep();
  void follow_all();
  void follow_touched();
  void follow(const NamedBalancer& balancer);
  void tell_superseded();
  void tell_left_out(const NamedBalancer& balancer, std::vector<LeftOut> left_out);
  void keep_soon();
  void keep_now();
  [[nodiscard]] std::expected<void, std::string> try_to_keep();

  const Parts parts_;
  std::vector<NamedBalancer> balancers_;
  cluster::Ledger ledger_;
  bool has_heard_ = false;  // everything, once
  bool is_sent_ = false;
  Instant next_sweep_ = Instant::min();
  std::uint64_t epoch_ = 0;
  std::uint64_t orders_ = 0;
  std::map<std::string, cluster::Instance> instances_;
  std::size_t address_ = 0;
  std::int64_t latest_ = 0;
  bool told_cut_off_ = false;
  std::string why_;  // we are cut off
  std::optional<WallTime> since_;
  std::deque<ClusterView::Lost> superseded_;
  std::uint64_t superseded_count_ = 0;
  std::string went_back_;  // the store, and what became of it; empty: it did not
  WallTime went_back_at_{};
  std::map<cluster::FieldKey, std::vector<LeftOut>> left_out_;  // by balancer
  std::map<std::string, std::string> senseless_;                // by key
  bool is_dirty_ = false;
  bool told_not_kept_ = false;
  bool has_left_ = false;
};

}  // namespace steelyard::manage
