#pragma once

#include <string_view>

#include "proxy/exchange.hpp"

// An ErrorDocument that is a path here: the exchange goes the way of a request once more.

namespace steelyard::proxy {

// Makes the exchange a GET for `path`, or leaves it a HEAD, as httpd does: the environment is kept
// under REDIRECT_ names.
void begin_internal_redirect(Exchange& x, int status, std::string_view path);

// The same for a section's RewriteRule: method and body stay, nothing was answered yet. `path`:
// still encoded, with its query.
void begin_reroute(Exchange& x, std::string_view path);

}  // namespace steelyard::proxy
