// An operator's changes to one balancer while it runs (overlay.hpp says how they meet the
// configuration). A way to speak to the balancer, without state of its own.
//
// Threads: any; under the balancer's lock, which a change of anything but a status holds as long as
// a reload does. Whoever changes must be the only one who does.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "balance/balancer.hpp"
#include "balance/overlay.hpp"

namespace steelyard::balance {

// What an operator wants, all of it or nothing. Members are added first and removed last.
struct ChangeOrder {
  struct Field {
    std::string member;  // its name; empty: the balancer's own
    std::string field;   // one of editable.hpp
    std::string value;
  };
  std::vector<std::string> added{};  // URLs; members begin disabled, but for removed ones
  std::vector<Field> fields{};
  std::vector<std::string> removed{};  // names
  int added_max = 0;                   // of all members that operators added, those before included
};

// What is different now; field "member" has the values "", "added", "configured" and "removed".
struct Change {
  std::string member;  // empty: the balancer's own
  std::string field;
  std::string before, after;

  friend bool operator==(const Change&, const Change&) = default;
};

struct ChangeFault {
  enum class Kind : std::uint8_t {
    no_such_member,
    no_such_field,
    bad_value,
    exists,
    no_room,
    refused,  // by consent: `text` is what it said
  };
  Kind kind;
  std::string member, field, text;
};

class Edits {
 public:
  explicit Edits(Balancer& balancer) : balancer_(balancer) {}

  // Asked before anything is changed, without a lock, so it may take its time: what will be
  // different, and all changes there will then be. What it refuses is not done. When a reload comes
  // between, it is asked again about what the order means by then.
  using Consent = std::function<std::expected<void, std::string>(const std::vector<Change>& changes,
                                                                 const Overlay& after)>;

  // Only what differs is changed and reported; if nothing does, nobody is asked.
  std::expected<std::vector<Change>, ChangeFault> change(const ChangeOrder& order, Instant now,
                                                         const Consent& consent = nullptr);

  struct Became {
    std::vector<Change> changes{};
    std::vector<Superseded> left_out{};  // the configuration says otherwise than it was then
  };
  // Told as Consent is asked, and cannot refuse.
  using Tell = std::function<void(const std::vector<Change>& changes, const Overlay& after)>;
  // All changes there are shall be these, whatever they were. What differs is changed, and
  // statuses as an operator would change them.
  Became become(const Overlay& overlay, Instant now, const Tell& tell);

  // Factors were given, be they new or not: nobody is owed turns by earlier ones (httpd's manager).
  void begin_credits();

  [[nodiscard]] Overlay overlay() const;
  // In the place of all changes there are, against the configuration as it is; what it supersedes.
  std::vector<Superseded> replace(Overlay overlay, Instant now);
  // What reloads superseded since the last call.
  std::vector<Superseded> take_superseded();

  // The balancer as the configuration has it, without its operators' changes; and before names in
  // it became members.
  [[nodiscard]] std::shared_ptr<const BalancerSpec> configured() const;
  [[nodiscard]] std::shared_ptr<const BalancerSpec> written() const;

 private:
  struct Draft;
  [[nodiscard]] Draft draft() const;
  std::expected<Draft, ChangeFault> work_out(const ChangeOrder& order) const;
  enum class Whose : std::uint8_t { ordered_here, ordered_elsewhere };
  void take(const Draft& draft, PreparedSpec prepared, Whose whose, Instant now);
  void credit_drains_of_newcomers(const Draft& draft, Instant now);

  Balancer& balancer_;
};

}  // namespace steelyard::balance
