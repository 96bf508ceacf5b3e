#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/router.hpp"

// Who may come in (httpd: mod_authz_core, mod_auth_basic and the order in which its core asks
// them): first what addresses and conditions say, then, only where a verdict depends on it, who
// it is.
//
//   admit() ── needs_user ──▶ identify() ── 0 ──▶ admit() again
//      │                          │
//      ▼                          ▼
//   go on, or refused          refused: asked for a password, or it was wrong
//
// Threads: the shard's.

namespace steelyard::proxy {

// Nothing: go on.
std::optional<Routing> admit(Exchange& x, Shard::Core& core);

// Asks who it is; fills Guest. Status 0: whoever it is has proved it.
io::Task<int> identify(Exchange& x, Shard::Core& core, ClientSide client);

// AuthBasicFake: what members are told.
void fake_login(Exchange& x, Shard::Core& core);

// 401 for who asks a server, 407 for who asks a forward proxy; httpd's fields of both.
struct AuthWords {
  int status;
  std::string_view challenge, credentials;
};
const AuthWords& auth_words(const Exchange& x);

}  // namespace steelyard::proxy
