#pragma once

#include "proxy/core.hpp"
#include "proxy/exchange.hpp"

// Who the client is, where proxies in front of this server say it: RemoteIPProxyProtocol,
// RemoteIPHeader. httpd: the header of the connection beats the request's field.

namespace steelyard::proxy {

// Once an exchange, before any rule asks for the client. What it takes of the field is gone from
// the request.
void name_client(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
