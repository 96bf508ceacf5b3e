#pragma once

#include "apacheconf/scope.hpp"

// Protocols that a server lists and nobody can be spoken to in.

namespace steelyard::apacheconf {

// After finish_tls(): it goes by who speaks TLS.
void warn_of_idle_protocols(Reading& reading);

}  // namespace steelyard::apacheconf
