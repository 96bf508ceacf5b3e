#pragma once

#include <optional>

#include "proxy/router.hpp"

// Requests to a place that the client names (ProxyRequests On): httpd's forward proxy. They pass
// by the server's own rules, routes and redirects; the sections that cover their URL hold for them.
//
//   GET http://elsewhere/x   over HTTP, TLS (SSLProxyEngine) or FTP
//   CONNECT elsewhere:443    a tunnel, see connect_request.hpp
//
// Invariant: nothing of the URL is used that was not split by http::split_target(), so that what
// sections decide about is where it leads: no user names, no other schemes, no sockets.
// Threads: the shard's.

namespace steelyard::proxy {

// The server takes such requests and this is one: its target is none of the server's own.
// `x.server->proxy.forward` is there.
bool names_other_place(const Exchange& x);

// Sets path and route. A value: that is the answer.
std::optional<Routing> aim_elsewhere(Exchange& x);

// "http://host:80?query": httpd takes all up to the next slash for the port, which is none then.
bool has_query_for_port(const Exchange& x);

// What sections see as the URL, once aim_elsewhere() was here.
std::string_view url_for_sections(Exchange& x);

// The client may; whether we can, and how it goes on.
Routing check_other_place(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
