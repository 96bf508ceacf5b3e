#pragma once

#include <string>
#include <string_view>

// URLs of members as logs, metrics and operators see them. Threads: pure.

namespace steelyard::balance {

// What stands between the user's name and the '@' of a URL's authority is left out. httpd shows it
// in its manager and its logs.
std::string without_password(std::string_view url);

}  // namespace steelyard::balance
