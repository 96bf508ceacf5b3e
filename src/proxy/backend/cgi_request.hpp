#pragma once

#include "cgi/variables.hpp"
#include "proxy/backend/dialect.hpp"

// What members of the CGI family are told of an exchange. As in httpd the variables become part of
// its environment, so that logs know them, too. Threads: the shard's.

namespace steelyard::proxy {

// The protocol of a member's scheme; none: it speaks another kind of protocol.
std::optional<cgi::Protocol> cgi_protocol(std::string_view scheme);

// As httpd writes a target: without the port that the scheme has anyway.
std::string_view shown_authority(std::string_view scheme, std::string_view authority);

// Of the body that goes to the member; none: there is no body.
std::optional<std::uint64_t> body_bytes(const RequestBody& body);

// False: the target cannot be told to the member, or a ProxyFCGISetEnvIf could not be decided.
bool add_cgi_variables(const Dialect::Matter& matter, cgi::Protocol protocol);

// The end of an exchange that cannot be told to the member: nobody's fault, 500.
Failure cannot_be_told(std::string detail);

}  // namespace steelyard::proxy
