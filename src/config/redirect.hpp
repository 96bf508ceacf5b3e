#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "config/config.hpp"
#include "expr/facts.hpp"

// Redirect and ErrorDocument: answers that need no backend (config.md 14).

namespace steelyard::config {

struct RedirectRequest {
  std::string_view path;   // decoded
  std::string_view query;  // without '?'
  bool has_query = false;
  // "http://host[:port]" of the request; empty: a target that is a path stays one
  std::string_view origin;
  const expr::Facts* facts = nullptr;  // for targets that are expressions
};

struct RedirectAnswer {
  int status = 302;
  std::string_view location;  // empty for statuses outside 3xx
};

// The first that fits. Server::redirects when nothing is proxied; PathSettings::redirects (those of
// sections) in the fix-up phase, also for proxied requests, after authorisation.
std::optional<RedirectAnswer> find_redirect(std::span<const Redirect> redirects,
                                            const RedirectRequest& request, Arena& arena);

// A Redirect that names no path: httpd follows it before access control, unless it proxies.
bool has_whole_section_redirect(std::span<const Redirect> redirects);

// nullptr: the standard page.
const ErrorDocument* find_error_document(const PathSettings& settings, int status);

}  // namespace steelyard::config
