// What counts in the cluster, as one instance knows it: what the store has, and over it what was
// changed here and is not shared yet.
//
//   ordered here ──▶ unshared ──▶ sent, if nobody changed the fields since ──▶ the store's
//                       │              └─ somebody did, and we were in touch: sent over that
//                       └─ somebody did while we were cut off: superseded, the store's counts
//
// An order goes up whole or is superseded whole. Orders that were made in touch follow one another
// as etcd orders them: the last one counts. A field that both sides changed to the same is no
// conflict. An order whose answer was lost may have counted already, so it is as one made cut off:
// what somebody changed after it must not be undone by sending it again.
//
// A store whose revision is lower than one it had is not what it was: it lost what it had, or was
// restored from a backup. What it no longer knows, or knows an older value of, is shared anew by
// whoever knows it, and counts on meanwhile. Of two instances the one with the later value wins.
//
// Invariant: with nothing unshared, and all that the store said taken, what counts is what the
// store has.
//
// Pure: no socket, no clock. Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/order.hpp"

namespace steelyard::cluster {

class Ledger {
 public:
  // What the store had in an earlier run; and what was not shared when the program ended.
  void remember(std::vector<Sight> sights);
  void restore(std::vector<Order> orders);

  void order(std::string id, std::vector<Wish> wishes);
  // Takes the order back: it never counted. One that was sent may be shared all the same.
  void withdraw(const std::string& id);

  // Everything the store has at `revision`, in touch from now on. What it forgot, if it went back
  // behind what it was: to be shared anew.
  std::vector<Wish> take_all(std::vector<Sight> sights, std::int64_t revision);
  // Before all that is unshared.
  void share_anew(std::vector<Order> orders);
  // What happened until `revision`.
  void take_changes(const std::vector<Sight>& sights, std::int64_t revision);
  // next() is on its way.
  void sent();
  // What became of it.
  void shared(const std::string& id, std::int64_t revision);
  void in_the_way(const std::string& id, const std::vector<Sight>& sights);
  void refused(const std::string& id, std::string why);
  void cut_off();
  // Orders from before that time (unix, in microseconds) that were made over nothing do not settle:
  // what others said since may be taken back and removed.
  void distrust_before(std::int64_t us) { trusted_from_us_ = us; }
  // Fields that were taken back before that time, at most `most`, as an order that removes them.
  [[nodiscard]] std::vector<Order::Field> taken_back_before(std::int64_t us,
                                                            std::size_t most) const;

  // The order to be sent, until it is known what became of it; null: none.
  [[nodiscard]] const Order* next() const {
    return in_touch_ && !unshared_.empty() ? &unshared_.front() : nullptr;
  }
  [[nodiscard]] bool in_touch() const { return in_touch_; }
  [[nodiscard]] std::int64_t revision() const { return revision_; }
  // The highest one that was heard of, in earlier runs too: a store that has less went back.
  [[nodiscard]] std::int64_t highest() const { return highest_; }
  [[nodiscard]] const std::deque<Order>& unshared() const { return unshared_; }

  // What counts; null: as the configuration has it.
  [[nodiscard]] const FieldValue* value(const FieldKey& key) const;
  // What the store has, as far as it told.
  [[nodiscard]] std::vector<Sight> known() const;
  // All fields of a balancer that count. `balancer` has no member and no field.
  [[nodiscard]] std::map<FieldKey, FieldValue> values(const FieldKey& balancer) const;
  // Scopes and names of balancers of which anything counts.
  [[nodiscard]] std::set<FieldKey> balancers() const;
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  // Of these, the fields that are not as configured.
  [[nodiscard]] std::size_t changed() const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // size_of() what the store has

  // Since the last call: balancers (keys without member and field) of which something else counts,
  // and orders that were superseded.
  [[nodiscard]] std::set<FieldKey> take_touched();
  [[nodiscard]] std::vector<Superseded> take_superseded();

 private:
  // No value: it is gone since the revision, and kept until the store told everything before, and
  // as long as the answer to an order of ours could tell of an older one.
  struct Known {
    std::optional<FieldValue> value;
    std::int64_t revision = 0;
  };
  void see(const Sight& sight);
  [[nodiscard]] bool has_older(const std::map<FieldKey, Known>& fresh) const;
  [[nodiscard]] std::vector<Wish> forgotten_by(const std::map<FieldKey, Known>& fresh) const;
  void settle();
  [[nodiscard]] bool settles(Order& order) const;
  [[nodiscard]] bool is_too_old(const Order& order) const;
  void yield(Order& order) const;
  [[nodiscard]] bool is_there(const Order& order) const;
  [[nodiscard]] std::int64_t revision_of(const FieldKey& key) const;
  [[nodiscard]] const FieldValue* stored(const FieldKey& key) const;
  [[nodiscard]] bool is_unshared(const FieldKey& key) const;
  void follow(const Order& order);
  void touch(const Order& order);
  void supersede(const Order& order, std::string why);

  std::map<FieldKey, Known> known_;
  std::size_t bytes_ = 0;
  std::deque<Order> unshared_;
  std::int64_t revision_ = 0;
  std::int64_t highest_ = 0;
  std::int64_t trusted_from_us_ = 0;
  bool in_touch_ = false;
  std::set<FieldKey> touched_;
  std::vector<Superseded> superseded_;
};

}  // namespace steelyard::cluster
