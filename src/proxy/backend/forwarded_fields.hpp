#pragma once

#include <string_view>

#include "http/field_id.hpp"
#include "proxy/exchange.hpp"

// What we add to lists that earlier proxies began (X-Forwarded-For, -Host, -Server, Via), and to
// what the client says to be let in by another proxy (httpd appends there, too); written
// in the place of the client's field, or behind all others. Threads: the shard's.

namespace steelyard::proxy {

struct ForwardedFields {
  std::string_view forwarded_for, forwarded_host, forwarded_server, via, proxy_authorization;
  bool block_via = false;

  // `via`: ours; empty: none.
  ForwardedFields(const Exchange& x, std::string_view via);
  // The one that belongs into such a field; null: none does.
  std::string_view* of(http::FieldId id);
};

}  // namespace steelyard::proxy
