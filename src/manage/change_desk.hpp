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

namespace steelyard::manage {

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

  explicit ChangeDesk(Parts parts) : parts_(std::move(parts)) {}

  void adopt(const proxy::Generation& generation, const std::vector<NamedBalancer>& balancers);

  Answer set_fields(const ControlRequest& request, std::string_view who);
  Answer add(const ControlRequest& request, std::string_view who);
  Answer remove(const ControlRequest& request, std::string_view who);
  [[nodiscard]] Answer list_changes(const ControlRequest& request) const;
  Answer undo(const ControlRequest& request, std::string_view who);
  [[nodiscard]] Answer export_text(const ControlRequest& request) const;
  [[nodiscard]] Answer list_generations() const;
  [[nodiscard]] Answer show_cluster() const;

 private:
  struct Loaded {
    std::uint64_t number;
    WallTime when;
  };
  [[nodiscard]] Moment moment() const {
    return {.now = parts_.loop.now(), .wall = parts_.loop.wall_now()};
  }
  Answer change(const NamedBalancer& balancer, const balance::ChangeOrder& order,
                const ControlRequest& request, std::string_view who);
  std::string tell(const std::string& label, const std::vector<balance::Change>& changes,
                   std::string_view who);

  Parts parts_;
  std::vector<NamedBalancer> balancers_;
  std::deque<Loaded> generations_;
};

}  // namespace steelyard::manage
