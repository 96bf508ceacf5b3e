// The commands of the control socket that change parameters and members, or tell of such changes:
// set, add, remove, changes, undo, export, generations, cluster.
//
// Threads: the loop's. Changes wait for the journal's disk.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/loop.hpp"
#include "manage/changes_book.hpp"
#include "manage/control_request.hpp"
#include "manage/naming.hpp"
#include "manage/operations.hpp"

namespace steelyard::manage {

// The answer to an order that was fulfilled before.
[[nodiscard]] std::string nothing_changed(std::string_view why);

class ChangeDesk {
 public:
  // Generations that are remembered; the oldest are forgotten first.
  static constexpr std::size_t generations_max = 50;

  struct Parts {
    io::Loop& loop;
    ChangesBook& book;
    std::function<void(config::LogLevel, const std::string&)> log;
    std::function<void()> members_changed;  // names and checks have to be looked after anew
  };
  using Answer = std::expected<std::string, ControlFault>;

  ChangeDesk(Parts parts, const Operations& operations)
      : parts_(std::move(parts)), operations_(operations) {}

  void adopt(const proxy::Generation& generation, const std::vector<NamedBalancer>& balancers);

  // `who` is what the system says of the other end.
  [[nodiscard]] Operations::By by(const ControlRequest& request, std::string_view who) const;
  Answer set_fields(const ControlRequest& request, std::string_view who);
  Answer add(const ControlRequest& request, std::string_view who);
  Answer remove(const ControlRequest& request, std::string_view who);
  [[nodiscard]] Answer list_changes(const ControlRequest& request) const;
  Answer undo(const ControlRequest& request, std::string_view who);
  [[nodiscard]] Answer export_text(const ControlRequest& request) const;
  [[nodiscard]] Answer list_generations() const;
  [[nodiscard]] Answer show_cluster() const;
  [[nodiscard]] std::vector<std::string> troubles() const { return parts_.book.troubles(); }

 private:
  struct Loaded {
    std::uint64_t number;
    WallTime when;
  };
  Answer change(const NamedBalancer& balancer, const balance::ChangeOrder& order,
                const ControlRequest& request, std::string_view who);

  const Parts parts_;
  const Operations& operations_;
  std::vector<NamedBalancer> balancers_;
  std::deque<Loaded> generations_;
};

}  // namespace steelyard::manage
