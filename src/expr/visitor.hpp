#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"

// Who a request says it comes from, as far as somebody asked (mod_auth_basic). Views live as long
// as the exchange.
//
// Threads: the exchange's.

namespace steelyard::expr {

struct Visitor {
  // Stands here as soon as it was read, also when the password turned out wrong: httpd logs it.
  std::optional<std::string_view> user;
  std::string_view auth_type;            // "Basic", "ClientCert"; empty: nobody was asked
  std::vector<std::string_view> groups;  // the user's, where a Require asks for one

  // httpd compares the names of groups without case.
  bool is_in_group(std::string_view group) const {
    return std::ranges::any_of(
        groups, [group](std::string_view one) { return equals_ignoring_case(one, group); });
  }
  void clear() {
    user.reset();
    auth_type = {};
    groups.clear();
  }
};

}  // namespace steelyard::expr
