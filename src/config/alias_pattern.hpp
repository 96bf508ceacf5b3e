#pragma once

#include <string_view>

namespace steelyard::config {

// A ServerAlias with wildcards against a host, ignoring case: `*` is any text, `?` any character,
// and nothing else is special (httpd: ap_strcasecmp_match; no classes, no backslash).
bool matches_alias(std::string_view pattern, std::string_view host);

}  // namespace steelyard::config
