#pragma once

#include <memory>

#include "proxy/exchange.hpp"

// A place beyond everything configured: one member that exists for one exchange and has no pool
// (httpd's generic worker). Threads: the shard's.

namespace steelyard::proxy {

// Scheme, host and port of `member` say where; the rest of it counts as it is.
std::unique_ptr<Group> make_passing_group(balance::MemberSpec member);

// ProxyBlock has a word that the host's name holds.
bool is_blocked(const Exchange& x, std::string_view host);

}  // namespace steelyard::proxy
