#pragma once

#include <string_view>

namespace steelyard::proxy {

// Whether httpd asks members of that scheme by mod_proxy_http or mod_proxy_http2: only these leave
// the notes proxy-status and proxy-source-port.
inline bool leaves_notes(std::string_view scheme) {
  return scheme.starts_with("http") || scheme.starts_with("ws") || scheme.starts_with("h2");
}

}  // namespace steelyard::proxy
