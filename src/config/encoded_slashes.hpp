#pragma once

// How far AllowEncodedSlashes reaches. It is said for a server, but httpd keeps it among what its
// core knows of a path, where a section that says something of the core has the usual value back:
// under NoDecode "%2F" then goes to members as "%252F". <Location> and <If> always do that; <Proxy>
// does where a line of the core stands in it, which no BalancerMember, ProxySet or Require is.
//
// Threads: a pure function.

namespace steelyard::config {

struct PathSettings;
struct Server;

// `settings` are the server's defaults or what a SettingsCache gave for the server.
bool sections_reset_encoded_slashes(const Server& server, const PathSettings& settings);

}  // namespace steelyard::config
