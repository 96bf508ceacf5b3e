#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The page of the demo member: who answered, which session the browser has, and the request as it
// arrived. Pure.

namespace steelyard::server {

struct DemoVisit {
  std::string_view member;   // name of the member that answers
  std::string_view route;    // its member tag
  std::string_view session;  // value of the session cookie, empty: none
  std::string_view head;     // the request as received, with its fields
  std::uint64_t served = 0;  // requests this member has answered, this one included
};

inline constexpr std::string_view demo_cookie = "SESSION";

std::string demo_page(const DemoVisit& visit);

// The session cookie's value in a Cookie field; empty: none.
std::string_view demo_session(std::string_view cookie_field);
// What follows the first '.' of a session: the member tag that mod_proxy_balancer looks for.
std::string_view demo_session_route(std::string_view session);
// A hue of its own for every route, 0 to 359.
int demo_hue(std::string_view route);

}  // namespace steelyard::server
