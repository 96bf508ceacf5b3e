#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "apacheconf/scope.hpp"
#include "balance/check_spec.hpp"

// The hc... parameters of members and templates, as far as they need to know what ProxyHCTemplate
// and ProxyHCExpr named. Both names count in the server (main or virtual host) that gave them, and
// from there on.

namespace steelyard::apacheconf {

// The complaint is httpd's sentence without its prefix.
std::expected<void, std::string> set_check_parameter(Scope& scope, balance::CheckSpec& spec,
                                                     std::string_view key, std::string_view value);
// What to write instead; empty when the sentence says it.
std::string advice_on_check_parameter(Scope& scope, std::string_view key, std::string_view value);

}  // namespace steelyard::apacheconf
