// The balancer-manager: httpd's page and form for people, its XML and its parameters for scripts
// (shared reference: the real apache2, with which tests/oracle compares it).
//
//   question ─▶ form ─▶ is its source foreign? then it has no parameters
//                 └─▶ balancer by b, member by w ─▶ nonce matches? changes ─▶ page or XML
//
// Invariants: 1. nothing is changed without the nonce of the balancer that is changed.
//             2. nothing is changed by GET, which keeps only what selects.
// Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/edits.hpp"
#include "manage/changes_book.hpp"
#include "manage/manager_changes.hpp"
#include "manage/manager_view.hpp"
#include "manage/naming.hpp"
#include "manage/nonces.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

class BalancerManager {
 public:
  // Who changed what; `balancer` is its label (naming.hpp).
  struct ChangeNote {
    const proxy::DeskQuestion& question;
    std::string_view balancer;
    const std::vector<balance::Change>& changes;
  };
  struct Parts {
    ChangesBook& book;
    std::string built;  // when the program was
    std::function<Moment()> now;
    std::function<void(const config::Server&, config::LogLevel, const std::string&)> log;
    std::function<void(const ChangeNote&)> on_change;
    std::function<void()> members_changed;  // there are new ones, or others are checked
  };

  explicit BalancerManager(Parts parts) : parts_(std::move(parts)) {}
  BalancerManager(const BalancerManager&) = delete;
  BalancerManager& operator=(const BalancerManager&) = delete;

  // Nonces are forgotten with their balancers.
  void adopt(const proxy::Generation& generation);
  proxy::DeskAnswer answer(const proxy::DeskQuestion& question);
  // What whoever changes the balancer has to know; empty: nobody may, here.
  std::string nonce_of(const proxy::Group& group);

 private:
  struct Selected {
    const proxy::Group* group = nullptr;
    std::optional<balance::MemberView> member{};
  };
  enum class Outcome : std::uint8_t { done, refused, not_kept };

  [[nodiscard]] std::string why_not_kept() const;
  ManagerForm read_form(const proxy::DeskQuestion& question);
  Selected select(const ManagerForm& form, const proxy::DeskQuestion& question);
  bool may_change(const ManagerForm& form, const proxy::Group& group);
  Outcome change(const ManagerForm& form, const Selected& selected,
                 const proxy::DeskQuestion& question);
  Outcome set_fields(const FormOrders& orders, const Selected& selected,
                     const proxy::DeskQuestion& question);
  void set_health(const FormOrders& orders, const Selected& selected,
                  const proxy::DeskQuestion& question);
  Outcome add(const std::string& url, const proxy::Group& group,
              const proxy::DeskQuestion& question);
  [[nodiscard]] NamedBalancer named(const proxy::Group& group) const;
  ChangesBook::Changed order(const balance::ChangeOrder& order, const proxy::Group& group,
                             const proxy::DeskQuestion& question);
  void log(const proxy::DeskQuestion& question, config::LogLevel level, const std::string& text);
  ManagerView view_of(const proxy::DeskQuestion& question, const Selected& selected);

  const Parts parts_;
  std::vector<NamedBalancer> names_;
  Nonces nonces_;
};

}  // namespace steelyard::manage
