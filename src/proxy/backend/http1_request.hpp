#pragma once

#include <cstdint>
#include <string_view>

#include "balance/spec.hpp"
#include "http/head_text.hpp"
#include "proxy/exchange.hpp"

// The request head that a member gets over HTTP/1 (httpd: the proxied request; RFC 9110 7.6).

namespace steelyard::proxy {

// Where the request goes, once a member is chosen.
struct BackendTarget {
  std::string_view url_host;  // Host field of the target: "host" or "host:port"
  std::string_view path;      // encoded, begins with '/'
  std::string_view query;
  bool has_query = false;
  // Another proxy is asked (ProxyRemote), by the whole URL: its scheme, and what we say to be let
  // in there. Both empty: the member itself is asked.
  std::string_view asked_scheme{}, asked_with{};
};

struct BodyPlan {
  enum class Kind : std::uint8_t { none, length, chunked } kind = Kind::none;
  std::uint64_t length = 0;
  bool expects_continue = false;  // the head carries Expect and the body waits for the answer
};

struct RequestRules {
  bool version_1_0 = false;  // force-proxy-request-1.0
  bool keeps_connection = true;
  std::string_view upgrade;  // protocols asked for; empty: none
  std::string_view via;      // our own element; empty: none
};

// Appends the complete head. Fields that name or describe the connection are left out, our own are
// added after that, so that a client cannot have them removed.
void write_request_head(Exchange& x, const BackendTarget& target, const BodyPlan& body,
                        const RequestRules& rules, http::HeadText& out);

}  // namespace steelyard::proxy
