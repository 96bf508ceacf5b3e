// Reading member and balancer parameters: `key=value` words into a spec, with httpd's ranges,
// truncations and complaints. The caller adds the prefix ("BalancerMember ", "ProxySet: ", ...) and
// the suffix its directive wants, and suggests near misses out of the key lists.
#pragma once

#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "balance/spec.hpp"

namespace steelyard::balance {

// Keys match without regard to case. The complaint is httpd's text without prefix; a spec is
// unchanged when its setter complains.
std::expected<void, std::string> set_member_parameter(MemberSpec& spec, std::string_view key,
                                                      std::string_view value);
std::expected<void, std::string> set_balancer_parameter(BalancerSpec& spec, std::string_view key,
                                                        std::string_view value);

inline constexpr std::string_view unknown_member_parameter = "unknown Worker parameter";
inline constexpr std::string_view unknown_balancer_parameter = "unknown Balancer parameter";

// Every key the setters know, in alphabetical order.
std::span<const std::string_view> member_parameter_keys();
std::span<const std::string_view> balancer_parameter_keys();

// What ends or garbles a line: below space, and DEL.
constexpr bool is_unprintable(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// Fills the identity fields of `spec` from a member URL: `http://h:81/app`, with user and password,
// or `unix:/path|http://h/app`. Scheme and host become lower case and the scheme's default port
// leaves the name.
std::expected<void, std::string> parse_member_url(MemberSpec& spec, std::string_view url);

// The name of a member with the parts of `spec` at `host` (an IPv6 address without brackets).
std::string member_url(const MemberSpec& spec, std::string_view host);

// Digits and an optional unit (s.., h.., ms.., mi.., lower case); without one, `unit_when_bare`.
std::expected<std::chrono::milliseconds, std::string> parse_duration(
    std::string_view text, std::chrono::milliseconds unit_when_bare);

}  // namespace steelyard::balance
