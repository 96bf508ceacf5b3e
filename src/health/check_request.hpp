#pragma once

#include <string>
#include <string_view>

#include "balance/spec.hpp"

// What a check by HTTP says to a member, byte for byte as httpd does.
//
//   OPTIONS * HTTP/1.0            METHOD <member's path> [/] <hcuri> HTTP/1.x
//   Host: host:port               Host: host:port
//
// The '/' in the middle is there when the member has a path and hcuri is set, so that a path that
// ends, or an hcuri that begins, with one makes two. Nothing else is sent. Over HTTP/2 the same
// goes as pseudo fields, and a target always begins with '/' (RFC 9113 8.3.1). Members of the CGI
// family are asked for hcuri by each method (check_cgi_request.hpp).

namespace steelyard::health {

struct CheckWords {
  std::string_view method, protocol;  // "GET", "HTTP/1.0"
  std::string target, host;
};

CheckWords check_words(const balance::MemberSpec& member);
CheckWords http2_check_words(const balance::MemberSpec& member);
CheckWords cgi_check_words(const balance::MemberSpec& member);
// "10.0.0.1:9000", "[::1]:9000": where the member's URL leads.
std::string host_and_port(const balance::MemberSpec& member);
// Of HTTP/1.
std::string check_request(const balance::MemberSpec& member);

}  // namespace steelyard::health
