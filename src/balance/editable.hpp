// The fields of members and balancers that an operator may change while the program runs, by the
// names of their parameters, and their values as text: what manager, API, journal and log show.
//
//   member     connectiontimeout hcexpr hcfails hcinterval hcmethod hcpasses hcshare hcuri lbset
//              loadfactor redirect retry route status timeout
//   balancer   lbmethod maxattempts nofailover stickysession timeout
//
// Texts are what the configuration would say; an empty one is what holds when it says nothing.
// status is the letters of an operator's wish, those of operator_flags, in that order; loadfactor
// is a number with two decimals that stands for itself (numbers.hpp: a configuration's does not).
//
// Pure.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "balance/spec.hpp"
#include "balance/status.hpp"

namespace steelyard::balance {

// What an operator says about a member. E and C are what was found out about it.
inline constexpr Status operator_flags = Flag::disabled | Flag::stopped | Flag::draining |
                                         Flag::standby | Flag::spare | Flag::ignore_errors;

// In alphabetical order.
[[nodiscard]] std::span<const std::string_view> editable_member_fields();
[[nodiscard]] std::span<const std::string_view> editable_balancer_fields();

// `field` is one of the names above, exactly. The same text for the same value.
[[nodiscard]] std::string text_of(const MemberSpec& spec, std::string_view field);
[[nodiscard]] std::string text_of(const BalancerSpec& spec, std::string_view field);

// The complaint says what the field wants, or that it is not one of the above; the spec is then
// unchanged. Whether hcexpr names anything is the caller's to know.
std::expected<void, std::string> set_text(MemberSpec& spec, std::string_view field,
                                          std::string_view text);
std::expected<void, std::string> set_text(BalancerSpec& spec, std::string_view field,
                                          std::string_view text);

// The same for whoever asks for a change. set_text() reads as httpd reads a configuration: "abc"
// and "3junk" are numbers there. Here numbers are whole, times have one unit, and no text holds
// what would end a line.
std::expected<void, std::string> set_exactly(MemberSpec& spec, std::string_view field,
                                             std::string_view text);
std::expected<void, std::string> set_exactly(BalancerSpec& spec, std::string_view field,
                                             std::string_view text);

// "DS"; empty for none.
[[nodiscard]] std::string letters_of(Status wish);

}  // namespace steelyard::balance
