#pragma once

#include <string_view>

// Names of clients in access rules. Threads: pure.

namespace steelyard::expr {

// `name` is `domain` or lies below it: whole labels, any case. A domain with a leading dot covers
// only what lies below.
bool is_in_domain(std::string_view name, std::string_view domain);

}  // namespace steelyard::expr
