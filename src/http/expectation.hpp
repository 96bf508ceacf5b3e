// Threads: pure functions.
#pragma once

#include "http/request_head.hpp"

namespace steelyard::http {

// What the Expect fields of a head ask for (RFC 9110 10.1.1), into the head.
void read_expectation(RequestHead& head);

}  // namespace steelyard::http
