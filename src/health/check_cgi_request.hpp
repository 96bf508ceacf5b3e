#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "balance/spec.hpp"
#include "base/ip.hpp"
#include "cgi/variables.hpp"

// What a check says to a member of the CGI family: a whole request without a body.
//
//   member            hcuri          SCRIPT_FILENAME                      SCRIPT_NAME  QUERY_STRING
//   fcgi://h:9000     /ping?json     proxy:fcgi://h:9000/ping             /ping        json
//   fcgi://h:9000/www /up.php        proxy:fcgi://h:9000/www/up.php       /up.php
//   fcgi://h:9000/www (none)         proxy:fcgi://h:9000/www              /
//
// The names are those that requests have (cgi/variables.hpp), told about the check itself: it comes
// from this end of its connection, and asks for the host that the Host field names. SetEnv,
// SetEnvIf and ProxyFCGISetEnvIf are about requests of clients and say nothing here.
//
// Threads: pure.

namespace steelyard::health {

struct CgiCheckPlace {
  cgi::BackendType backend = cgi::BackendType::fpm;
  std::string_view document_root = {}, server_admin = {}, server_software = {};
  Endpoint here = {}, member = {};  // the ends of the connection
};

// None: it cannot be told in this protocol.
std::optional<std::string> cgi_check_request(const balance::MemberSpec& member,
                                             cgi::Protocol protocol, const CgiCheckPlace& place);

}  // namespace steelyard::health
