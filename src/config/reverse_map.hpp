#pragma once

#include <string_view>

#include "config/config.hpp"

// What a backend says about itself, turned into what the client shall see: ProxyPassReverse and
// its cookie relatives (proxy.md 4). No ProxyPass implies any of it.

namespace steelyard::config {

struct ReverseContext {
  const Server& server;
  const PathSettings& settings;  // merged; their entries stand in order, outer ones first
  // "http://host[:port]" of the request, for results that are paths.
  std::string_view origin;
  // As RouteRequest::environment.
  const expr::Environment* environment = nullptr;
};

// Location, Content-Location, URI, Destination. Returns `value` itself when nothing fits.
std::string_view map_response_url(const ReverseContext& context, std::string_view value,
                                  Arena& arena);
// Set-Cookie. Returns `value` itself when nothing fits.
std::string_view map_set_cookie(const ReverseContext& context, std::string_view value,
                                Arena& arena);

}  // namespace steelyard::config
