#pragma once

#include <memory>
#include <string_view>

#include "proxy/backend/tunnel.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"
#include "proxy/request_body.hpp"

// Sends an exchange to its balancer or backend: choose a member, attempt, perhaps another member,
// until one answered or none may be tried (httpd: the balancer's request flow).

namespace steelyard::proxy {

struct ForwardEnd {
  // 0: an answer was passed on (or the client is gone). Otherwise the status to answer with.
  int status = 0;
  std::string_view proxy_error{};  // for the page
  std::string_view reason{};       // the backend's phrase, when ProxyErrorOverride took its answer
  bool overridden = false;
  bool silent = false;  // close the client's connection without a word (httpd, see forward.cpp)
  std::unique_ptr<Tunnel> tunnel{};  // goes on after this; null: nothing does
};

// httpd makes a direct backend's URL whole (path encoded, with the query) before it looks at
// Max-Forwards, a balancer's when a member is chosen: it has a path by then, no more. For requests
// that end in between: %f.
void complete_url(Exchange& x);

io::Task<ForwardEnd> forward(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body);

}  // namespace steelyard::proxy
