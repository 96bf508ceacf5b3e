#pragma once

#include <string_view>

#include "proxy/exchange.hpp"

// An ErrorDocument that is a path here: the exchange goes the way of a request once more.

namespace steelyard::proxy {

// A success that is no tunnel would tell the client that its WebSocket's stream is open, or what it
// asked for by CONNECT, when a document answers in the place of the refusal: the next bytes that it
// sends would be its user's, and no request.
bool awaits_tunnel(const Exchange& x);

// Makes the exchange a GET for `path`, or leaves it a HEAD, as httpd does: the environment is kept
// under REDIRECT_ names.
void begin_internal_redirect(Exchange& x, int status, std::string_view path);

// The same for a section's RewriteRule: method and body stay, nothing was answered yet. `path`:
// still encoded, with its query.
void begin_reroute(Exchange& x, std::string_view path);

}  // namespace steelyard::proxy
