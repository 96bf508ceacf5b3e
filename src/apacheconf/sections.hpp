#pragma once

#include "apacheconf/scope.hpp"

namespace steelyard::apacheconf {

// Builds and executes the <VirtualHost> sections that the main pass met, in file order.
void execute_virtual_hosts(Reading& reading);

}  // namespace steelyard::apacheconf
