#pragma once

#include <string>

#include "balance/spec.hpp"

// What a check by HTTP says to a member, byte for byte as httpd does.
//
//   OPTIONS * HTTP/1.0            METHOD <member's path> [/] <hcuri> HTTP/1.x
//   Host: host:port               Host: host:port
//
// The '/' in the middle is there when the member has a path and hcuri is set, so that a path that
// ends, or an hcuri that begins, with one makes two. Nothing else is sent.

namespace steelyard::health {

std::string check_request(const balance::MemberSpec& member);

}  // namespace steelyard::health
