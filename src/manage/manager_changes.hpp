// What a form of the balancer-manager asks for, in orders that the balancer understands. As in
// httpd a value that cannot be is passed over in silence, each by itself.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/edits.hpp"
#include "balance/member_view.hpp"
#include "config/config.hpp"
#include "manage/manager_form.hpp"

namespace steelyard::manage {

// Whom a form is about.
struct FormSubject {
  const config::Config& config;
  const config::Server& server;  // of the request: its ProxyHCExpr count
  const balance::BalancerSpec& balancer;
  const balance::MemberView* member = nullptr;  // none was selected
};

struct FormOrders {
  std::vector<balance::ChangeOrder::Field> fields;
  bool begins_credits = false;       // a factor was given
  balance::Status set, clear;        // of the member, among what is found out about it
  std::optional<std::string> added;  // the URL of a member
};

[[nodiscard]] FormOrders read_orders(const ManagerForm& form, const FormSubject& subject);

// By name, in the order of the menu: httpd's when their modules are loaded, and our own.
[[nodiscard]] std::vector<std::string_view> loaded_policies(const config::Config& config);

// Whether mod_proxy_hcheck is loaded: without it there is nothing about checks in the manager.
[[nodiscard]] bool has_checks(const config::Config& config);
// CPING is one of the checks.
[[nodiscard]] bool has_pings(const config::Config& config);

}  // namespace steelyard::manage
