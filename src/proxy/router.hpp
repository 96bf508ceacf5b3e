#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/core.hpp"

// From a request head to what shall happen with it (httpd's phases between reading a request and
// its handler): virtual host, environment, path, ProxyPass, sections, authorisation, redirects,
// request field rules. No member is chosen here.

namespace steelyard::proxy {

struct Routing {
  enum class Kind : std::uint8_t {
    proxy,      // x.route says where
    tunnel,     // a CONNECT that may go on
    answer,     // `status`, and for redirects `location`
    echo,       // TRACE (echo.hpp)
    heartbeat,  // read the body and note what it says
    desk,       // x.responder is answered at a desk (desk.hpp)
    // Not decided yet, from here on:
    needs_client_host,  // look the client's name up, then continue_routing()
    needs_user,         // identify() who it is, then continue_routing()
    needs_handshake     // ask_client()
  } kind = Kind::answer;
  int status = 404;
  std::string_view location;
  std::string_view detail;  // why, for the page
  // httpd's file handler reads the body before it says that there is nothing: a client that waits
  // for leave to send it gets that.
  bool reads_body = false;
  std::string_view html_note{};  // further words for the page, ready for it
  // Whose word it is. An answer that a directive orders is no handler's.
  enum class Author : std::uint8_t { server, redirect, rewriting } author = Author::server;
};

// The virtual host by the connection's address and the request's host; also for requests that are
// answered with an error before they are routed.
void choose_server(Exchange& x);

// After choose_server().
Routing route(Exchange& x, Shard::Core& core);
Routing continue_routing(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
