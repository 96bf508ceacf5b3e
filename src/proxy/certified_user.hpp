#pragma once

#include "proxy/core.hpp"

// Users whose names stand in their certificates (httpd: mod_ssl's ssl_hook_Access and
// ssl_hook_UserCheck).
//
// Threads: the shard's.

namespace steelyard::proxy {

// SSLUserName: from now on it is who sent the request, without a password.
void name_user(Exchange& x, Shard::Core& core);

// SSLOptions +FakeBasicAuth: the certificate's whole name and the word "password" take the place of
// what the client said. Who says such a name itself gets 403, also elsewhere. 0: go on.
int fake_basic_login(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
