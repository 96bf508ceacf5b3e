#pragma once

#include <string_view>

// Whether a password fits what a password file keeps of it: every form that htpasswd writes and
// mod_authn_file takes.
//
//   $apr1$salt$...   MD5, a thousand times (htpasswd -m)
//   {SHA}...         SHA-1 in base64, without salt (-s)
//   all else         crypt(3): $2y$ bcrypt (-B), $5$ (-2), $6$ (-5), $1$, $y$, the old DES (-d)
//
// Invariants: 1. how long the comparison takes tells nothing about where two texts differ.
//             2. a text that is no such form fits no password.
// Threads: any. It takes as long as the form wants: bcrypt milliseconds to seconds.

namespace steelyard::auth {

bool fits(std::string_view password, std::string_view kept);

}  // namespace steelyard::auth
