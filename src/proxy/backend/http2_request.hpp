#pragma once

#include "http/field.hpp"
#include "proxy/backend/dialect.hpp"

// The head of a request to a member that speaks HTTP/2 (RFC 9113 8.3; httpd's mod_proxy_http2).
//
// Threads: the shard's.

namespace steelyard::proxy {

// Pseudo fields first, names in lower case; texts lie in the exchange's arena or belong to it.
void write_http2_head(const Dialect::Matter& matter, http::FieldList& out);

// Trailers that the client sent and a member may have.
void write_http2_trailers(Exchange& x, http::FieldList& out);

}  // namespace steelyard::proxy
