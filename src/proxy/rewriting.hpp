#pragma once

#include <optional>
#include <string_view>

#include "proxy/router.hpp"

// Where RewriteRules stand on the way of a request: those of the server before the routes, those of
// sections after authorisation (httpd's translation and fix-up phases). The rules themselves are in
// rewrite/.

namespace steelyard::proxy {

// x.server->rewriting is there and x.path is known. A value: that is the answer. Else the routes
// are next, unless x.route was set: [P], or a path that they shall not see.
std::optional<Routing> rewrite_path(Exchange& x, Shard::Core& core);

struct SectionRewriting {
  std::optional<Routing> answer{};
  // Where the request begins anew: a path with its query, to be decoded once more. Empty: it goes
  // on.
  std::string_view elsewhere{};
  bool proxies = false;  // a rule said where to
};
// x.settings->rewriting is there.
SectionRewriting rewrite_in_sections(Exchange& x, Shard::Core& core);

// By the name that SetHandler and [H=] use.
config::Responder responder_named(std::string_view handler);

}  // namespace steelyard::proxy
