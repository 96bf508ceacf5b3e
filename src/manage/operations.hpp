// What operators order by the JSON API and the control socket: kept in the book, made, told to the
// log and to those whom members concern. One place, so that both ways mean the same.
//
// Threads: the loop's. Changes wait for the journal's disk.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "balance/edits.hpp"
#include "io/loop.hpp"
#include "manage/changes_book.hpp"
#include "manage/control_request.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

struct OperationFault {
  enum class Kind : std::uint8_t {
    not_kept,  // the journal could not be written
    gone,      // a reload has just taken the member away
  };
  Kind kind;
  std::string text;
};

class Operations {
 public:
  struct Parts {
    io::Loop& loop;
    ChangesBook& book;
    std::function<void()> members_changed;  // names and checks have to be looked after anew
    std::function<void()> drain_ordered;    // it may be over already
  };
  // Who gives the order.
  struct By {
    journal::Author author;
    std::string who;                              // for the log
    std::function<void(const std::string&)> log;  // of who is concerned
  };
  using Changes = std::vector<balance::Change>;

  explicit Operations(Parts parts) : parts_(std::move(parts)) {}

  std::expected<Changes, balance::ChangeFault> change(const NamedBalancer& balancer,
                                                      const balance::ChangeOrder& order,
                                                      const By& by) const;
  std::expected<Changes, ControlFault> undo(const std::vector<NamedBalancer>& balancers,
                                            const ChangesBook::UndoWish& wish, const By& by) const;

  // What was found out of a member (E and C), which is no wish of anybody's: it counts until the
  // next answer or check says something else.
  std::expected<void, OperationFault> say_finding(const NamedBalancer& balancer,
                                                  const balance::MemberView& member,
                                                  const StatusWish& wish, const By& by) const;

  std::expected<void, OperationFault> drain(const NamedBalancer& balancer,
                                            const balance::MemberView& member,
                                            const DrainWish& wish, const By& by) const;
  // False: it was not drained.
  std::expected<bool, OperationFault> undrain(const NamedBalancer& balancer,
                                              const balance::MemberView& member,
                                              const By& by) const;

 private:
  [[nodiscard]] Moment moment() const {
    return {.now = parts_.loop.now(), .wall = parts_.loop.wall_now()};
  }
  void tell(const std::string& label, const Changes& changes, const By& by) const;
  [[nodiscard]] std::expected<void, OperationFault> keep(const NamedBalancer& balancer,
                                                         const balance::MemberView& member,
                                                         balance::Status wish, const By& by) const;

  const Parts parts_;
};

// "http://m1:8080 in balancer://app: undrain (by uid 0, pid 512)"
[[nodiscard]] std::string order_note(const NamedBalancer& balancer,
                                     const balance::MemberView& member, std::string_view what,
                                     std::string_view who);

}  // namespace steelyard::manage
