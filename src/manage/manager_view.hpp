// What the balancer-manager shows at one moment, before it becomes HTML or XML.
//
// Threads: a value; it lives no longer than the question it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/member_view.hpp"
#include "config/config.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

struct BalancerView {
  std::string_view name;  // "balancer://app"
  std::shared_ptr<const balance::BalancerSpec> spec;
  std::string nonce;  // empty: nobody may change it here
  std::string id;     // tells it from those of the same name in other virtual hosts
  std::string path;   // of the last ProxyPass that leads there
  int slots = 0;      // members that it can have
  std::vector<balance::MemberView> members;

  // Without "balancer://".
  [[nodiscard]] std::string_view short_name() const { return name.substr(name.find("://") + 3); }
  [[nodiscard]] bool has_room() const { return static_cast<int>(members.size()) < slots; }
};

struct ManagerView {
  const proxy::DeskQuestion& question;
  const config::Server& server;
  std::string_view banner, built;
  Instant now;  // the same moment on both clocks
  WallTime wall;
  std::vector<BalancerView> balancers;
  bool offers_live_page = false;
  std::vector<std::string> troubles{};  // of changes, told before all else
  // What a form is shown for; indexes into the above.
  std::optional<std::size_t> balancer{}, member{};
};

// The part of a member's URL by which parameters name it is its name; this is what people see, with
// the socket in front.
[[nodiscard]] std::string shown_name(const balance::MemberSpec& member);

// The member that a URL belongs to: the longest name that is a prefix of it counts (httpd).
[[nodiscard]] const balance::MemberView* find_covering(
    const std::vector<balance::MemberView>& members, std::string_view url);

[[nodiscard]] BalancerView view_balancer(const config::Server& server, std::size_t index,
                                         const proxy::Group& group);

// In four characters: "  0 ", " 15K", "1.2M".
[[nodiscard]] std::string human_size(std::uint64_t bytes);

}  // namespace steelyard::manage
